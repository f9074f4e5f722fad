package text

const (
	Server = "server"
	Client = "client"
)
