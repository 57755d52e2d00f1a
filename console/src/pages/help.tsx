import { useEffect, useRef } from 'preact/hooks'

const KEYS: [string, string][] = [
  ['j k', 'the next, the one before'],
  ['Enter', 'open it'],
  ['a', 'approve once: then Enter, then your passkey'],
  ['m', 'approve the same call for some minutes'],
  ['e', 'edit the arguments, and approve those'],
  ['d', 'deny, with a reason for the agent'],
  ['r', 'what the agent says itself'],
  ['Esc', 'close, or back to what waits'],
  ['g w v', 'to what waits, to the reviews, to the activity'],
  ['?', 'this'],
]

export function Help({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="help-title" class="help">
      <h2 id="help-title">Keyboard</h2>
      <p>No key decides anything: approving asks for your passkey, denying for Enter.</p>
      <dl class="keys">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>{keys.split(' ').map((k) => <kbd key={k}>{k}</kbd>)}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog"><button autofocus>Close</button></form>
    </dialog>
  )
}
