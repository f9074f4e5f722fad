console.log(require("left"), require("@scope/right"))
