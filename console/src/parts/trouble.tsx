import type { ComponentChildren } from 'preact'
import type { Fault } from '../api'

// What went wrong, in the gateway's own words, with the code that the documentation has a paragraph for.
export function Trouble({ f, children }: { f: Fault | null; children?: ComponentChildren }) {
  if (!f) return null
  return (
    <p class="note stop" role="alert">
      <span class="said">{f.message}</span> <code>{f.code}</code> {children}
    </p>
  )
}
