import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { asFault, type Fault } from '../api'
import { Trouble } from '../parts/trouble'
import { unfit } from '../passkey'
import { byPasskey, why } from '../session'

function Unfit({ kind }: { kind: 'address' | 'browser' }) {
  const there = `${location.protocol}//localhost${location.port ? `:${location.port}` : ''}${location.pathname}`
  return kind === 'address'
    ? <p class="note warn">A passkey belongs to a name, and {location.hostname} is an address. Open <a href={there}>{there}</a> instead.</p>
    : <p class="note warn">This browser cannot use passkeys here: they need https, or localhost.</p>
}

export function SignIn() {
  const busy = useSignal(false), fault = useSignal<Fault | null>(null), kind = unfit()
  useEffect(() => void (document.title = 'Sign in · Doorward'), [])
  async function enter() {
    busy.value = true
    fault.value = null
    try {
      await byPasskey()
    } catch (e) {
      fault.value = asFault(e)
    }
    busy.value = false
  }
  return (
    <main class="alone">
      <div class="card">
        <p class="brand"><span class="door" aria-hidden="true" />Doorward</p>
        <h1>Sign in to decide</h1>
        <Trouble f={fault.value ?? why.value} />
        {kind ? <Unfit kind={kind} /> : (
          <button type="button" class="yes wide" onClick={enter} disabled={busy.value} autofocus>
            {busy.value ? 'Waiting for your passkey …' : 'Sign in with your passkey'}
          </button>
        )}
        <p class="quiet">The first time, or without a passkey: ask an administrator for a link.</p>
        <p class="quiet"><code>doorward people link NAME</code></p>
      </div>
    </main>
  )
}
