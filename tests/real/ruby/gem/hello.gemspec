Gem::Specification.new do |s|
  s.name = 'hello'
  s.version = '1.0.0'
  s.summary = 'says hello'
  s.authors = ['A']
  s.license = 'MIT'
  s.homepage = 'https://example.org'
  s.files = ['lib/hello.rb']
end
