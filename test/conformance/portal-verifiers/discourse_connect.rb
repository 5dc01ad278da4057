# A forum that takes DiscourseConnect, written from meta.discourse.org/t/13045. Standard library only.
#
# Reads {secret, forum, nonces, attempts: [{url}]} on standard input; answers for each attempt who was signed in, or why
# nobody was. A nonce is good once.
require 'base64'
require 'json'
require 'openssl'
require 'uri'

asked = JSON.parse($stdin.read)
open_nonces = asked['nonces']

sign_in = lambda do |attempt|
  url = URI(attempt['url'])
  return { no: 'not the forum' } unless "#{url.scheme}://#{url.host}#{url.path}" == "#{asked['forum']}/session/sso_login"

  # As Rack reads a query: of a name that stands twice, the last.
  query = URI.decode_www_form(url.query).to_h
  payload, signature = query.values_at('sso', 'sig')
  return { no: 'incomplete' } unless payload && signature

  expected = OpenSSL::HMAC.hexdigest('SHA256', asked['secret'], payload)
  return { no: 'bad signature' } unless OpenSSL.secure_compare(expected, signature)

  user = URI.decode_www_form(Base64.strict_decode64(payload)).to_h
  return { no: 'nonce not open' } unless open_nonces.delete(user['nonce'])
  return { no: 'no email or external_id' } if user['email'].to_s.empty? || user['external_id'].to_s.empty?

  { yes: user.reject { |name, _| name == 'nonce' } }
end

puts JSON.generate(asked['attempts'].map { |attempt| sign_in.call(attempt) })
