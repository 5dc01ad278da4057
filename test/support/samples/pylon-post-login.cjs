// "Example Auth0 Post-login action for JWT SSO", from Pylon's article "How do I set up JWT SSO for my customers?"
// (https://support.usepylon.com/articles/6806918294, last updated April 7, 2026), verbatim. When it is loaded, its
// placeholders <CLIENT_ID>, <ISSUER>, <SECRET>, <ORGSLUG> are filled in, and its portal address
// http://graph.usepylon.com/callback/jwt?orgSlug=<ORGSLUG>& becomes the one that the router gives for it (samples.ts).

const jwt = require('jsonwebtoken')
exports.onExecutePostLogin = async (event, api) => {
// Select an auth0 client id to use for the redirect, optional.
if (event.client.client_id == "<CLIENT_ID>"){
const email = event.user.email
const pylonPayload = {
iat: Math.floor(Date.now() / 1000),
email,
iss: "<ISSUER>",
aud: 'https://portal.usepylon.com'
};
const options = {
algorithm: 'HS256',
expiresIn: '10h'
};
const token = jwt.sign(pylonPayload,"<SECRET>", options);
const url = `http://graph.usepylon.com/callback/jwt?orgSlug=<ORGSLUG>&access_token=${token}`
console.log(url)
api.redirect.sendUserTo(url, {
query: { access_token: token }
});
}
};
