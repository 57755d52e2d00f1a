// An agent without our command line: keys and assertions made with `jose`, forms sent by hand.
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

export const BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const now = () => Math.floor(Date.now() / 1000)

export async function makeKey(alg = 'EdDSA') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, privateKey, jwk: await exportJWK(publicKey), privateJwk: await exportJWK(privateKey) }
}

export async function register(gate, id, jwk, more = {}) {
  return gate.operator('POST', '/agents', {
    agentId: id, agentType: 'customer-support', version: '2.4.1', deploymentEnv: 'production', owner: 'support-team', publicKey: jwk, ...more })
}

// An agent that is registered through the API, with its key in hand.
export async function newAgent(gate, id, { alg, ...more } = {}) {
  const key = await makeKey(alg)
  const { status, json } = await register(gate, id, key.jwk, more)
  if (status !== 201) throw new Error(JSON.stringify(json))
  return { id, ...key }
}

// claims: undefined takes one out.
export async function assertion(gate, agent, claims = {}, header = {}) {
  const all = { iss: agent.id, sub: agent.id, aud: gate.url, jti: crypto.randomUUID(), iat: now(), exp: now() + 60, ...claims }
  return new SignJWT(JSON.parse(JSON.stringify(all))).setProtectedHeader({ alg: agent.alg, ...header }).sign(agent.privateKey)
}

// fields: an object, or the body itself.
export async function postToken(gate, fields, headers = {}) {
  const body = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString()
  const res = await fetch(`${gate.url}/oauth/token`, {
    method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body })
  return { status: res.status, headers: res.headers, json: await res.json() }
}

export async function askToken(gate, agent, { claims, header, ...more } = {}) {
  return postToken(gate, { grant_type: 'client_credentials', client_assertion_type: BEARER,
    client_assertion: await assertion(gate, agent, claims, header), ...more })
}

export async function token(gate, agent, more) {
  const { status, json } = await askToken(gate, agent, more)
  if (status !== 200) throw new Error(JSON.stringify(json))
  return json.access_token
}
