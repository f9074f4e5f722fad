import greeting

print(greeting.greet("you"))
