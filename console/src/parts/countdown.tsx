import { left, leftInWords, tick } from '../clock'

interface Ends {
  until: string
  since: string
  big?: boolean
}

// How long is left, in figures and as a bar; it turns when a minute, and when fifteen seconds are left.
export function Countdown({ until, since, big }: Ends) {
  const end = Date.parse(until), ms = end - tick.value, whole = Math.max(1, end - Date.parse(since))
  const stage = ms <= 15000 ? 'last' : ms <= 60000 ? 'soon' : 'calm'
  return (
    <span class={`countdown ${stage}${big ? ' big' : ''}`} role="timer" aria-label={`${leftInWords(ms)} left`}>
      <span class="figures" aria-hidden="true">{left(ms)}</span>
      <span class="bar" aria-hidden="true"><span style={{ width: `${Math.min(100, Math.max(0, (ms / whole) * 100))}%` }} /></span>
    </span>
  )
}
