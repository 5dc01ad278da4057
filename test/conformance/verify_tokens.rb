# Reads {jwks, tokens: [{token, alg, secret?}]} on standard input; answers what ruby-jwt makes of each token.
require 'json'
require 'jwt'
require 'net/http'

asked = JSON.parse($stdin.read)
keys = JSON.parse(Net::HTTP.get(URI(asked['jwks'])), symbolize_names: true)

verify = lambda do |one, token|
  rules = {
    algorithms: [one['alg']],
    iss: asked['issuer'], verify_iss: true,
    aud: asked['audience'], verify_aud: true,
    verify_iat: true,
    required_claims: %w[iss aud iat exp jti email]
  }
  rules[:jwks] = keys unless one['secret']
  claims, header = JWT.decode(token, one['secret'], true, rules)
  { header: header, claims: claims }
end

refuses = lambda do |one|
  header, payload, signature = one['token'].split('.')
  changed = (payload[0] == 'e' ? 'f' : 'e') + payload[1..]
  verify.call(one, [header, changed, signature].join('.'))
  false
rescue JWT::DecodeError
  true
end

puts JSON.generate(asked['tokens'].map { |one| verify.call(one, one['token']).merge(refuses: refuses.call(one)) })
