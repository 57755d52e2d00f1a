// Passkeys (Web Authentication): signing in, adding one, and the proof that a person is there for one very request.
import { Fault, post, send } from './api'

const bytes = (text: string) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
const text64 = (b: ArrayBuffer) => btoa(Array.from(new Uint8Array(b), (c) => String.fromCharCode(c)).join(''))
  .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
const hex = (b: ArrayBuffer) => Array.from(new Uint8Array(b), (c) => c.toString(16).padStart(2, '0')).join('')

interface Wanted {
  challenge: string
  rpId: string
  allowCredentials?: { type: 'public-key'; id: string }[]
  timeoutMs: number
}

interface New {
  challenge: string
  rp: { id: string; name: string }
  user: { id: string; name: string; displayName: string }
  pubKeyCredParams: PublicKeyCredentialParameters[]
  excludeCredentials: { type: 'public-key'; id: string }[]
  authenticatorSelection: AuthenticatorSelectionCriteria
  attestation: AttestationConveyancePreference
  timeout: number
}

// Why this page cannot use one; or nothing.
export function unfit(): 'address' | 'browser' | null {
  if (/^[\d.]+$|^\[/.test(location.hostname)) return 'address'
  return isSecureContext && 'credentials' in navigator && 'PublicKeyCredential' in window ? null : 'browser'
}

const WORDS: Record<string, string> = {
  NotAllowedError: 'no passkey was used: it was cancelled, or took too long',
  AbortError: 'no passkey was used: it was cancelled',
  InvalidStateError: 'this authenticator holds a passkey of yours already',
  SecurityError: 'the browser takes no passkey for this address',
  NotSupportedError: 'this authenticator has no key that the gateway takes (ES256 or EdDSA)',
}

async function asked<T extends AuthenticatorResponse>(credential: Promise<Credential | null>) {
  let c: Credential | null
  try {
    c = await credential
  } catch (e) {
    const name = e instanceof Error ? e.name : ''
    throw new Fault(0, 'no_passkey', WORDS[name] ?? (e instanceof Error ? e.message : String(e)))
  }
  if (!c) throw new Fault(0, 'no_passkey', WORDS.NotAllowedError!)
  const key = c as PublicKeyCredential
  return { id: key.id, response: key.response as T, client: text64(key.response.clientDataJSON) }
}

async function assert(w: Wanted, signal?: AbortSignal) {
  const { id, response, client } = await asked<AuthenticatorAssertionResponse>(navigator.credentials.get({ signal, publicKey: {
    challenge: bytes(w.challenge), rpId: w.rpId, userVerification: 'required', timeout: w.timeoutMs,
    allowCredentials: (w.allowCredentials ?? []).map((c) => ({ type: c.type, id: bytes(c.id) })) } }))
  const said = { id, clientDataJSON: client, authenticatorData: text64(response.authenticatorData), signature: text64(response.signature) }
  return { said, user: response.userHandle ? text64(response.userHandle) : '' }
}

export async function signIn<T>() {
  const { said, user } = await assert((await send<Wanted>('GET', '/console/v1/sign-in')).json)
  return post<T>('/console/v1/sign-in', { ...said, userHandle: user }, { stays: true })
}

// The header for just this request: the authenticator signs its method, path and body.
export async function prove(method: string, path: string, text: string, signal?: AbortSignal): Promise<Record<string, string>> {
  const sha256 = hex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  const { said } = await assert(await post<Wanted>('/console/v1/proof', { method, path, sha256 }), signal)
  return { passkey: text64(new TextEncoder().encode(JSON.stringify(said)).buffer) }
}

export async function enrol(name: string, needsProof: boolean) {
  const o = await post<New>('/console/v1/passkeys/options', {})
  const { id, response, client } = await asked<AuthenticatorAttestationResponse>(navigator.credentials.create({ publicKey: {
    challenge: bytes(o.challenge), rp: o.rp, user: { ...o.user, id: bytes(o.user.id) }, pubKeyCredParams: o.pubKeyCredParams,
    excludeCredentials: o.excludeCredentials.map((c) => ({ type: c.type, id: bytes(c.id) })),
    authenticatorSelection: o.authenticatorSelection, attestation: o.attestation, timeout: o.timeout } }))
  const path = '/console/v1/passkeys'
  const text = JSON.stringify({ name, id, clientDataJSON: client, attestationObject: text64(response.attestationObject) })
  const headers = needsProof ? await prove('POST', path, text) : {}
  await send('POST', path, { text, headers })
}

export async function remove(id: string) {
  const path = `/console/v1/passkeys/${encodeURIComponent(id)}`
  await send('DELETE', path, { headers: await prove('DELETE', path, '') })
}
