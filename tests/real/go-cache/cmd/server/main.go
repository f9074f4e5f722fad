package main

import "example.org/tools/text"

func main() { println(text.Server) }
