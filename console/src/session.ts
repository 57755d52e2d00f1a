// Who is signed in.
import { signal } from '@preact/signals'
import { asFault, Fault, get, known, lost, onLost, post, setCsrf } from './api'
import { set } from './clock'
import * as passkey from './passkey'
import type { Me } from './types'

export const me = signal<Me | null | undefined>(undefined) // undefined: not known yet; null: nobody
export const why = signal<Fault | null>(null) // why nobody is

onLost((f) => {
  why.value = me.value ? f : null
  me.value = null
})

function enter(who: Me) {
  if (who.csrf) setCsrf(who.csrf)
  set(who.now)
  why.value = null
  me.value = who
}

export async function load() {
  try {
    if (known()) enter(await get<Me>('/console/v1/me'))
  } catch (e) {
    const f = asFault(e)
    if (f.status !== 401 && f.code !== 'page_refused') why.value = f // else it is of a session that is over
  }
  me.value ??= null
}

// A link is in the address's fragment, and is gone from there and from the history before anything else happens.
export function takeLink(): string | null {
  const link = location.pathname === '/sign-in' && /^#(dwl_[\w-]+)$/.exec(location.hash)?.[1]
  if (link) history.replaceState(null, '', '/sign-in')
  return link || null
}

export const byLink = async (link: string) => enter(await post<Me>('/console/v1/link', { link }, { stays: true }))
export const byPasskey = async () => enter(await passkey.signIn<Me>())

export async function out() {
  await post('/console/v1/sign-out', {})
  lost(new Fault(0, '', ''))
  why.value = null
}

export const decides = (who: Me) => who.role !== 'viewer'
