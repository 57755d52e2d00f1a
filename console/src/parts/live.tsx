import type { Fault } from '../api'

// Whether what is shown is how it is now.
export function Live({ state, f }: { state: 'connecting' | 'live' | 'down'; f?: Fault | null }) {
  const words = { connecting: 'connecting', live: 'live', down: 'not live' }[state]
  return <span class={`live ${state}`} role="status" title={f ? `${f.message} (${f.code})` : undefined}>{words}</span>
}
