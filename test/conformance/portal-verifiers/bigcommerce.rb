# A shop that takes customer login tokens, written from BigCommerce's Customer Login API. With ruby-jwt.
#
# Reads {secret, client_id, store_hash, now, attempts: [{url}]} on standard input; answers for each attempt whose
# account was opened, or why none was. A jti is good once.
require 'json'
require 'jwt'
require 'uri'

asked = JSON.parse($stdin.read)
used = []

open_account = lambda do |attempt|
  token = URI(attempt['url']).path[%r{\A/login/token/([^/]+)\z}, 1]
  return { no: 'not a login token address' } unless token

  # The clock is the test's, so times are compared below.
  claims, header = JWT.decode(token, asked['secret'], true, algorithms: ['HS256'], verify_expiration: false)
  return { no: 'typ' } unless header['typ'] == 'JWT'
  return { no: 'iss' } unless claims['iss'] == asked['client_id']
  return { no: 'iat' } unless claims['iat'].is_a?(Integer) && (asked['now'] - claims['iat']).between?(0, 30)
  return { no: 'operation' } unless claims['operation'] == 'customer_login'
  return { no: 'store_hash' } unless claims['store_hash'] == asked['store_hash']
  return { no: 'customer_id' } unless claims['customer_id'].is_a?(Integer)
  return { no: 'jti used' } if claims['jti'].to_s.empty? || used.include?(claims['jti'])

  used << claims['jti']
  { yes: { customer: claims['customer_id'], page: claims.fetch('redirect_to', '/account.php') } }
rescue JWT::DecodeError => e
  { no: e.class.name }
end

puts JSON.generate(asked['attempts'].map { |attempt| open_account.call(attempt) })
