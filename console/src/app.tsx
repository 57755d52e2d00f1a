// The frame: who is signed in, where one can go, whether it is live.
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { useSignal } from '@preact/signals'
import { down, live, waiting, watch } from './inbox'
import { useKeys } from './keys'
import { Live } from './parts/live'
import { Trouble } from './parts/trouble'
import { go, path, requestOf } from './route'
import { me, why } from './session'
import type { Me } from './types'
import { Account } from './pages/account'
import { Activity } from './pages/activity'
import { Help } from './pages/help'
import { Inbox } from './pages/inbox'
import { RequestPage } from './pages/request'
import { Reviews } from './pages/reviews'
import { SignIn } from './pages/sign_in'

const PLACES = [['/', 'Waiting'], ['/reviews', 'Reviews'], ['/activity', 'Activity'], ['/account', 'Account']] as const

const at = (place: string) => path.value === place || (place === '/' && path.value.startsWith('/approvals/'))

function Page({ who }: { who: Me }) {
  const id = requestOf(path.value)
  if (id) return <RequestPage key={id} id={id} who={who} />
  switch (path.value) {
    case '/': return <Inbox />
    case '/reviews': return <Reviews who={who} />
    case '/activity': return <Activity />
    case '/account': return <Account who={who} />
    default: return <section class="page narrow"><h1>There is no such page</h1><p><a href="/">What waits</a></p></section>
  }
}

function Shell({ who }: { who: Me }) {
  const main = useRef<HTMLElement>(null), first = useRef(true), help = useSignal(false)
  const n = waiting.value.size, name = PLACES.find(([place]) => at(place))?.[1] ?? 'Doorward'
  useEffect(watch, [])
  useLayoutEffect(() => void (document.title = `${n ? `(${n}) ` : ''}${name} · Doorward`), [n, name])
  useEffect(() => {
    if (path.value === '/sign-in') go(who.mayEnrol && !who.passkeys.length ? '/account' : '/', true)
  }, [who])
  useEffect(() => {
    if (!first.current) main.current?.focus({ preventScroll: true })
    if (!first.current) scrollTo(0, 0)
    first.current = false
  }, [path.value])
  useKeys({ '?': () => (help.value = true), g: () => go('/'), w: () => go('/reviews'), v: () => go('/activity') })
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); main.current?.focus() }}>To the content</a>
      <header class="top">
        <a class="brand" href="/"><span class="door" aria-hidden="true" />Doorward</a>
        <nav aria-label="Pages">
          {PLACES.map(([place, title]) => (
            <a key={place} href={place} aria-current={at(place) ? 'page' : undefined}>
              {title}{place === '/' && n > 0 && <span class="count">{n}</span>}
            </a>
          ))}
        </nav>
        <span class="side">
          <Live state={live.value} f={down.value} />
          <span class="who">{who.name}</span>
          <button type="button" class="plain" aria-label="Keyboard shortcuts" title="Keyboard shortcuts"
            onClick={() => (help.value = true)}>?</button>
        </span>
      </header>
      {live.value === 'down' && (
        <p class="banner" role="alert">Not live: what stands here may be old. It is tried again. <span class="said">{down.value?.message}</span></p>
      )}
      {!who.passkeys.length && path.value !== '/account' && who.role !== 'viewer' && (
        <p class="banner calm">You can look and say no. Saying yes needs a passkey: <a href="/account">add one</a>.</p>
      )}
      <main id="main" ref={main} tabIndex={-1}>
        <Trouble f={why.value} />
        <Page who={who} />
      </main>
      {help.value && <Help close={() => (help.value = false)} />}
    </>
  )
}

export function App() {
  const who = me.value
  if (who === undefined) return <p class="alone" role="status">One moment …</p>
  return who ? <Shell who={who} /> : <SignIn />
}
