// Other arguments: what would be sent instead, and what differs from what the agent asked for.
import { useLayoutEffect, useRef } from 'preact/hooks'
import { changes, type Change } from '../diff'
import { parse, print, type Json } from '../json'

export interface Edited {
  problem: string
  changes: Change[]
}

export function judge(before: Json, text: string): Edited {
  try {
    const after = parse(text)
    if (!(after instanceof Map)) return { problem: 'arguments are an object: { … }', changes: [] }
    const list = changes(before, after)
    return { problem: list.length ? '' : 'nothing is changed yet', changes: list }
  } catch (e) {
    return { problem: e instanceof Error ? e.message : String(e), changes: [] }
  }
}

function Difference({ c }: { c: Change }) {
  return (
    <tr>
      <th scope="row">{c.path || 'arguments'}</th>
      <td class="before">{c.before === undefined ? <em>was not there</em> : <del>{c.before}</del>}</td>
      <td class="after">{c.after === undefined ? <em>is left out</em> : <ins>{c.after}</ins>}</td>
    </tr>
  )
}

export function Edit({ before, text, put }: { before: Json; text: string; put: (text: string) => void }) {
  const area = useRef<HTMLTextAreaElement>(null), { problem, changes: list } = judge(before, text)
  useLayoutEffect(() => area.current?.focus(), [])
  return (
    <div class="edit">
      <label for="edit-arguments">Arguments as JSON. The gateway judges the call again with what you make of them: schema, policies, limits.</label>
      <textarea id="edit-arguments" ref={area} value={text} rows={Math.min(16, Math.max(5, text.split('\n').length + 1))}
        spellcheck={false} autocomplete="off" autocapitalize="off" aria-invalid={problem !== ''} aria-describedby="edit-problem"
        onInput={(e) => put(e.currentTarget.value)} />
      <p id="edit-problem" class="problem" role="status">{problem}</p>
      {list.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="What changes">
          <table class="difference">
            <thead><tr><th scope="col">argument</th><th scope="col">asked for</th><th scope="col">yours</th></tr></thead>
            <tbody>{list.map((c) => <Difference key={c.path} c={c} />)}</tbody>
          </table>
        </div>
      )}
    </div>
  )
}

export const editable = (args: Json) => print(args)
