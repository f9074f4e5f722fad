console.log(require("./lib"))
