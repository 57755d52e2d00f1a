// What an approver sees, section by section, in the gateway's order and words.
import { useSignal } from '@preact/signals'
import { useKeys } from '../keys'
import { left, tick } from '../clock'
import type { Field, Request, Section } from '../types'

const LONG = /^([0-9a-f]{64}|sess_\w+)$/

// The time that is left stands in it as of when it was asked: it goes on here.
const lively = (r: Request, value: string) =>
  r.state === 'pending' ? value.replace(/\(in [^)]*\)/, `(in ${left(Date.parse(r.expiresAt) - tick.value)})`) : value

function Line({ f, value }: { f: Field; value: string }) {
  const more = f.bytes ? ` … (${f.bytes} bytes, SHA-256 ${f.sha256})` : ''
  return (
    <div class={`field depth-${Math.min(f.depth ?? 0, 8)}`}>
      <dt>{f.name || ' '}</dt>
      <dd>
        {value !== '' && <span class={LONG.test(value) ? 'value hash' : 'value'}>{value}{more}</span>}
        {f.note && <span class="said-of">{f.note}</span>}
      </dd>
    </div>
  )
}

const Fields = ({ r, s }: { r: Request; s: Section }) => (
  <dl class="fields">{s.fields.map((f, i) => <Line key={i} f={f} value={s.part === 'time' ? lively(r, f.value) : f.value} />)}</dl>
)

// Words that nobody has checked: folded up, so that they are not the first thing that is read.
function Untrusted({ r, s }: { r: Request; s: Section }) {
  const open = useSignal(false)
  useKeys({ r: () => (open.value = !open.value) })
  return (
    <details class="section untrusted" open={open.value} onToggle={(e) => (open.value = e.currentTarget.open)} data-part={s.part}>
      <summary><h2>{s.title}</h2><span class="mark not-checked">not checked</span></summary>
      <Fields r={r} s={s} />
    </details>
  )
}

export const Sections = ({ r }: { r: Request }) => (
  <>
    {r.sections.map((s) => s.untrusted ? <Untrusted key={s.part} r={r} s={s} /> : (
      <section key={s.part} class={`section part-${s.part}`} data-part={s.part}>
        <h2>{s.title}</h2>
        <Fields r={r} s={s} />
      </section>
    ))}
  </>
)
