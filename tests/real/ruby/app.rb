require 'hello'
puts Hello::WORD
