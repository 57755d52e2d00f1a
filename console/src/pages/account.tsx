// Oneself: passkeys, how one decides, signing out.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { asFault, Fault, get } from '../api'
import { moment } from '../clock'
import { Trouble } from '../parts/trouble'
import { enrol, remove, unfit } from '../passkey'
import { load, out } from '../session'
import type { Figures, Me, Passkey } from '../types'
import { visible } from '../visible'

interface Doing {
  busy: boolean
  run: (what: () => Promise<void>) => void
}

function One({ k, doing }: { k: Passkey; doing: Doing }) {
  const asking = useSignal(false)
  const drop = () => doing.run(async () => { await remove(k.id); await load() })
  return (
    <li class="passkey">
      <p>
        <b>{visible(k.name)}</b>
        <span class="faint">added {moment(k.createdAt)}{k.lastUsedAt ? `, last used ${moment(k.lastUsedAt)}` : ', not used yet'}</span>
      </p>
      {asking.value ? (
        <div class="buttons">
          <button type="button" class="no" disabled={doing.busy} onClick={drop}>Remove it, with your passkey</button>
          <button type="button" class="plain" onClick={() => (asking.value = false)}>Cancel</button>
        </div>
      ) : (
        <button type="button" class="plain" onClick={() => (asking.value = true)}>Remove …<span class="unseen"> {visible(k.name)}</span></button>
      )}
    </li>
  )
}

function Add({ who, doing }: { who: Me; doing: Doing }) {
  const name = useSignal(''), late = !who.mayEnrol && !who.passkeys.length
  if (unfit()) return <p class="note warn">This browser cannot use passkeys at this address: open the console as https, or as localhost.</p>
  if (late)
    return (
      <p class="note warn">
        This link was opened too long ago to add a passkey: ask for another one (<code>doorward people link {visible(who.name)}</code>).
      </p>
    )
  const add = (e: Event) => {
    e.preventDefault()
    doing.run(async () => {
      await enrol(name.value.trim() || 'passkey', !who.mayEnrol)
      name.value = ''
      await load()
    })
  }
  return (
    <form class="add" onSubmit={add}>
      <label>Name, such as “laptop” or “blue key”
        <input value={name.value} maxLength={60} autocomplete="off" onInput={(e) => (name.value = e.currentTarget.value)} />
      </label>
      <button class={who.passkeys.length ? '' : 'yes'} disabled={doing.busy}>{doing.busy ? 'Waiting for your authenticator …' : 'Add a passkey'}</button>
    </form>
  )
}

function Passkeys({ who }: { who: Me }) {
  const busy = useSignal(false), fault = useSignal<Fault | null>(null)
  const run = async (what: () => Promise<void>) => {
    busy.value = true
    fault.value = null
    try {
      await what()
    } catch (e) {
      fault.value = asFault(e)
    }
    busy.value = false
  }
  const doing = { busy: busy.value, run }
  return (
    <section class="section">
      <h2>Passkeys</h2>
      <p class="quiet">Each yes is signed with one of them, over just that request. Keep two, in case one is lost.</p>
      <Trouble f={fault.value} />
      <ul class="passkeys">{who.passkeys.map((k) => <One key={k.id} k={k} doing={doing} />)}</ul>
      <Add who={who} doing={doing} />
    </section>
  )
}

const seconds = (ms: number | null) => (ms === null ? '–' : ms < 60000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60000)} min`)

function How({ name }: { name: string }) {
  const figures = useSignal<Figures | null>(null), fault = useSignal<Fault | null>(null)
  useEffect(() => {
    get<Figures>(`/admin/v1/people/${encodeURIComponent(name)}/figures`).then((f) => (figures.value = f), (e) => (fault.value = asFault(e)))
  }, [])
  const f = figures.value
  return (
    <section class="section">
      <h2>How you decided, in the last {f?.hours ?? 24} hours</h2>
      <Trouble f={fault.value} />
      {f?.hint && (
        <p class="note warn">
          You seem to approve everything within seconds. Are these questions worth asking, or too many for one person? Say so to whoever sets
          the risks.
        </p>
      )}
      {f && (
        <dl class="figures-row">
          <div><dt>decided</dt><dd>{f.decisions}{f.more ? ' or more' : ''}</dd></div>
          <div><dt>approved</dt><dd>{f.approvedPercent === null ? '–' : `${f.approvedPercent} %`}</dd></div>
          <div><dt>denied</dt><dd>{f.denied}</dd></div>
          <div><dt>looked at it (median)</dt><dd>{seconds(f.medianDwellMs)}</dd></div>
        </dl>
      )}
    </section>
  )
}

const about = (who: Me) => [who.role, who.groups.length ? `in ${who.groups.map(visible).join(', ')}` : 'in no group',
  who.by === 'link' ? 'signed in with a link' : 'signed in with a passkey', `until ${moment(who.expiresAt)}`].join(' · ')

export function Account({ who }: { who: Me }) {
  return (
    <section class="page narrow">
      <h1>{visible(who.name)}</h1>
      <p class="quiet">{about(who)}</p>
      <Passkeys who={who} />
      <How name={who.name} />
      <section class="section">
        <h2>This browser</h2>
        <p><button type="button" onClick={() => void out().catch(() => load())}>Sign out</button></p>
        <p class="quiet">Doorward {who.version}</p>
      </section>
    </section>
  )
}
