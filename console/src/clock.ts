// The gateway's time. Its clock decides when a question is over, not this machine's.
import { signal } from '@preact/signals'

const NEAR = 1500 // ms: Date has seconds, and an answer was under way

let offset = 0
export const now = () => Date.now() + offset
export const tick = signal(now()) // moves on each second

export function heard(moment: string | null) {
  const theirs = moment ? Date.parse(moment) : NaN
  if (Number.isNaN(theirs) || Math.abs(theirs - now()) < NEAR) return
  offset = theirs - Date.now()
  tick.value = now()
}

// More exact: with milliseconds.
export function set(moment: string) {
  offset = Date.parse(moment) - Date.now()
  tick.value = now()
}

setInterval(() => (tick.value = now()), 1000)
document.addEventListener('visibilitychange', () => (tick.value = now()))

const two = (n: number) => String(n).padStart(2, '0')

// "4:05", "1:02:30", "2 d 3 h"
export function left(ms: number) {
  const s = Math.max(0, Math.ceil(ms / 1000)), m = Math.floor(s / 60), h = Math.floor(m / 60)
  if (h >= 24) return `${Math.floor(h / 24)} d ${h % 24} h`
  return h ? `${h}:${two(m % 60)}:${two(s % 60)}` : `${m}:${two(s % 60)}`
}

// The same for ears: "4 minutes 5 seconds"
export function leftInWords(ms: number) {
  const s = Math.max(0, Math.ceil(ms / 1000)), m = Math.floor(s / 60)
  const of = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`
  return m >= 120 ? of(Math.floor(m / 60), 'hour') : m ? `${of(m, 'minute')} ${of(s % 60, 'second')}` : of(s, 'second')
}

// "08:05:53 UTC", with the day when it is another one
export function moment(iso: string) {
  const day = iso.slice(0, 10), today = new Date(now()).toISOString().slice(0, 10)
  return `${day === today ? '' : `${day} `}${iso.slice(11, 19)} UTC`
}
