// The console as its page uses it: a browser that keeps one cookie, and a passkey.
//
//   const anna = await signIn(gate, 'anna')       // a link, and a passkey that is enrolled with it
//   await anna.ask('POST', `/admin/v1/approvals/${id}/approve`, { digest }, { proof: true })
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request } from 'node:https'
import { Authenticator } from './authenticator.mjs'

// As fetch, to a gateway that others know by another name than this machine does: https://gate.example, on a port of ours.
const namedFetch = (url, port, ca) => (to, { method, headers, body }) => new Promise((done, fail) => {
  const { host, hostname } = new URL(url)
  const req = request({ host: '127.0.0.1', port, servername: hostname, ca, method, path: to.slice(url.length), headers: { ...headers, host } }, async (res) => {
    let text = ''
    for await (const d of res) text += d
    done({ status: res.statusCode, ok: res.statusCode < 300, headers: new Headers(Object.entries(res.headers).map(([k, v]) => [k, String(v)])), text: () => text })
  })
  req.on('error', fail)
  req.end(body)
})

export class Browser {
  // name: { url, ca } when it is not localhost.
  constructor(gate, name) {
    this.origin = name?.url ?? `http://localhost:${gate.adminPort}` // a passkey is for a name
    this.fetch = name ? namedFetch(name.url, gate.adminPort, name.ca) : fetch
    this.gate = gate
  }

  // One request; its answer with what a test looks at. proof: true has it signed by the passkey, or by the one that is given.
  async ask(method, path, body, { headers = {}, proof, cookie = this.cookie, csrf = this.csrf, wrong, text = body && JSON.stringify(body) } = {}) {
    const passkey = proof ? { passkey: await this.prove(method, path, text, { key: proof === true ? this.key : proof, wrong }) } : {}
    const send = this.fetch
    const res = await send(this.origin + path, { method, body: text, headers: {
      ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...(cookie ? { cookie } : {}),
      ...(csrf ? { 'x-csrf-token': csrf } : {}), ...passkey, ...headers } })
    const got = await res.text()
    const set = res.headers.get('set-cookie')
    if (set && res.ok) this.cookie = set.split(';')[0]
    const json = (res.headers.get('content-type') ?? '').startsWith('application/json') ? JSON.parse(got) : undefined
    if (json?.csrf) this.csrf = json.csrf
    return { status: res.status, headers: res.headers, text: got, json }
  }

  // The value of the header Passkey for this very request.
  async prove(method, path, text = '', { key = this.key, wrong } = {}) {
    const sha256 = createHash('sha256').update(text).digest('hex')
    const { status, json } = await this.ask('POST', '/console/v1/proof', { method, path, sha256 })
    assert.equal(status, 200, JSON.stringify(json))
    return Buffer.from(JSON.stringify(key.get(json, this.origin, wrong))).toString('base64url')
  }

  open(link) {
    return this.ask('POST', '/console/v1/link', { link: new URL(link).hash.slice(1) })
  }

  async enrol(key, { name = 'a key', proof, wrong } = {}) {
    const options = (await this.ask('POST', '/console/v1/passkeys/options', {})).json
    const made = await this.ask('POST', '/console/v1/passkeys', { name, ...key.create(options, this.origin, wrong) }, { proof })
    if (made.status === 201) this.key ??= key
    return made
  }

  // With the passkey alone.
  async signIn(key = this.key, wrong) {
    const challenge = (await this.ask('GET', '/console/v1/sign-in')).json
    return this.ask('POST', '/console/v1/sign-in', { ...key.get(challenge, this.origin, wrong), userHandle: key.user })
  }
}

export const link = (gate, name) => gate.json(['people', 'link', name]).link

// Somebody with a passkey, signed in by a link.
export async function signIn(gate, name, kind = {}) {
  const browser = new Browser(gate)
  const opened = await browser.open(link(gate, name))
  assert.equal(opened.status, 200, opened.text)
  const enrolled = await browser.enrol(new Authenticator(kind))
  assert.equal(enrolled.status, 201, enrolled.text)
  return browser
}
