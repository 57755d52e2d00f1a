// Deciding. A key opens a form, the form says what will happen, and only then a passkey or a second key decides.
import { useSignal, type Signal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { asFault, Fault } from '../api'
import { approve, deny } from '../decide'
import { useKeys } from '../keys'
import { glass, yes, type Look } from '../look'
import { Key } from '../parts/key'
import { Trouble } from '../parts/trouble'
import { decides } from '../session'
import type { Me, Request } from '../types'
import { Edit, editable, judge } from './edit'

type Mode = '' | 'approve' | 'minutes' | 'edit' | 'deny'

interface Form {
  mode: Signal<Mode>
  reason: Signal<string>
  minutes: Signal<string>
  text: Signal<string>
  kill: Signal<boolean>
  glass: Signal<boolean>
  busy: Signal<boolean>
  fault: Signal<Fault | null>
}

const useForm = (): Form => ({
  mode: useSignal<Mode>(''), reason: useSignal(''), minutes: useSignal('15'), text: useSignal(''), kill: useSignal(false), glass: useSignal(false),
  busy: useSignal(false), fault: useSignal<Fault | null>(null),
})

const TITLES = {
  '': '', approve: 'Approve this call, once', minutes: 'Approve this call, and the same call again', edit: 'Approve with other arguments',
  deny: 'Deny this call' }
const WHY = 'Reason, for the record (may be empty)'

function Reason({ form, label, first }: { form: Form; label: string; first?: boolean }) {
  const input = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => void (first && input.current?.focus()), [])
  return (
    <label class="wide">{label}
      <input ref={input} value={form.reason.value} maxLength={1000} autocomplete="off" onInput={(e) => (form.reason.value = e.currentTarget.value)} />
    </label>
  )
}

function Minutes({ form }: { form: Form }) {
  const input = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => input.current?.select(), [])
  return (
    <label>Minutes (1 to 1440), in this session, for exactly these arguments
      <input ref={input} type="number" min={1} max={1440} step={1} required value={form.minutes.value}
        onInput={(e) => (form.minutes.value = e.currentTarget.value)} />
    </label>
  )
}

function Check({ on, children }: { on: Signal<boolean>; children: string }) {
  return <label class="check"><input type="checkbox" checked={on.value} onChange={(e) => (on.value = e.currentTarget.checked)} /> {children}</label>
}

function Fields({ form, look, r }: { form: Form; look: Look; r: Request }) {
  switch (form.mode.value) {
    case 'minutes': return <><Minutes form={form} /><Reason form={form} label={WHY} /></>
    case 'edit': return (
      <>
        <Edit before={look.args.value} text={form.text.value} put={(t) => (form.text.value = t)} />
        <Reason form={form} label={WHY} />
      </>
    )
    case 'deny': return (
      <>
        <Reason form={form} label="Reason: the agent is told (may be empty)" first />
        <Check on={form.kill}>Stop its session as well: nothing more is done in it</Check>
      </>
    )
    default: return (
      <>
        <Reason form={form} label={WHY} />
        {glass(r) && <Check on={form.glass}>By break-glass: my yes alone is enough, and everybody is told</Check>}
      </>
    )
  }
}

const action = (form: Form) => form.busy.value ? (form.mode.value === 'deny' ? 'Denying …' : 'Waiting for your passkey …')
  : form.mode.value === 'deny' ? (form.kill.value ? 'Deny and stop the session' : 'Deny') : 'Approve with your passkey'

async function decide(form: Form, r: Request, signal: AbortSignal) {
  const mode = form.mode.value, reason = form.reason.value.trim()
  switch (mode) {
    case 'deny': return deny(r, reason, form.kill.value)
    case 'minutes': return approve(r, { reason, minutes: Number(form.minutes.value) }, signal)
    case 'edit': return approve(r, { reason, text: form.text.value }, signal)
    case 'approve': return approve(r, { reason, glass: glass(r) && form.glass.value }, signal)
  }
}

function Panel({ form, look, r, close }: { form: Form; look: Look; r: Request; close: () => void }) {
  const button = useRef<HTMLButtonElement>(null), going = useRef(new AbortController()), mode = form.mode.value
  const bad = mode === 'edit' && judge(look.args.value, form.text.value).problem !== ''
  useLayoutEffect(() => {
    if (mode === 'approve') button.current?.focus()
    return () => going.current.abort()
  }, [])
  async function send(e: Event) {
    e.preventDefault()
    if (form.busy.value || bad) return
    form.busy.value = true
    form.fault.value = null
    going.current = new AbortController()
    try {
      await decide(form, r, going.current.signal)
      close()
    } catch (e) {
      form.fault.value = asFault(e)
    }
    form.busy.value = false
    await look.reload()
    button.current?.focus()
  }
  const press = (e: KeyboardEvent) => {
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) void send(e)
  }
  return (
    <form class={`panel ${mode}`} onSubmit={send} onKeyDown={press} aria-label={TITLES[mode]}>
      <h2>{TITLES[mode]}</h2>
      <Fields form={form} look={look} r={r} />
      <Trouble f={form.fault.value} />
      <div class="buttons">
        <button ref={button} class={mode === 'deny' ? 'no' : 'yes'} disabled={form.busy.value || bad}>{action(form)}</button>
        <button type="button" class="plain" onClick={close}>Cancel <Key k="Esc" /></button>
      </div>
    </form>
  )
}

const refusals = (r: Request, me: Me) => ({
  yes: !me.passkeys.length ? 'Saying yes needs a passkey: add one under Account.' : yes(r).includes(me.name) ? 'You have said yes to it.' : '',
  edit: r.masked ? 'It holds what is not shown here, so it can be approved or denied, but not edited.' : '',
})

interface Opens {
  mode: Mode
  k: string
  kind?: 'yes' | 'no'
  off?: string // why it cannot be pressed
  open: (mode: Mode) => () => void
  children: string
}

const Button = ({ mode, k, kind, off, open, children }: Opens) => (
  <button type="button" class={kind} disabled={!!off} data-mode={mode} onClick={open(mode)} aria-keyshortcuts={k}>{children} <Key k={k} /></button>
)

export function DecideBar({ look, r, me, back }: { look: Look; r: Request; me: Me; back: () => void }) {
  const form = useForm(), no = refusals(r, me), may = decides(me)
  const open = (mode: Mode) => () => {
    if (!may || (mode !== 'deny' && no.yes) || (mode === 'edit' && no.edit)) return
    form.fault.value = null
    if (mode === 'edit') form.text.value = editable(look.args.value)
    form.mode.value = mode
  }
  const opener = useRef<Mode>('')
  const close = () => {
    opener.current = form.mode.peek()
    form.mode.value = ''
  }
  useEffect(() => { // back to where the form was opened
    if (!form.mode.value && opener.current) document.querySelector<HTMLElement>(`.decide [data-mode="${opener.current}"]`)?.focus()
  }, [form.mode.value])
  const shown = useRef(r.digest)
  useLayoutEffect(() => { // other arguments than those for which it was opened
    if (shown.current !== r.digest) close()
    shown.current = r.digest
  }, [r.digest])
  useKeys({ a: open('approve'), m: open('minutes'), e: open('edit'), d: open('deny'), Escape: () => (form.mode.value ? close() : back()) })
  if (!may) return <p class="decide quiet">You can look, and not decide: that needs the role approver.</p>
  if (form.mode.value) return <div class="decide"><Panel key={form.mode.value} form={form} look={look} r={r} close={close} /></div>
  return (
    <div class="decide">
      <div class="buttons">
        <Button mode="approve" k="a" kind="yes" off={no.yes} open={open}>Approve once</Button>
        <Button mode="minutes" k="m" off={no.yes} open={open}>For some minutes</Button>
        <Button mode="edit" k="e" off={no.yes || no.edit} open={open}>Edit</Button>
        <Button mode="deny" k="d" kind="no" open={open}>Deny</Button>
      </div>
      {(no.yes || no.edit) && <p class="quiet">{no.yes || no.edit}</p>}
    </div>
  )
}
