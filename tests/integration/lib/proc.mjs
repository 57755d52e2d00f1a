// A process as the kernel sees it: what a leak would show in.
import { readdirSync, readFileSync } from 'node:fs'

const stat = (pid) => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { pid: Number(pid), state, parent: Number(parent) }
  } catch {
    return null // it has just gone
  }
}

export const childrenOf = (pid) =>
  readdirSync('/proc').filter((p) => /^\d+$/.test(p)).map(stat).filter((p) => p?.parent === pid)

// By how many MiB its memory grew. Under a sanitizer, which keeps what is freed for a while, nothing can be said: 0.
export const grown = (was, is) => (is.sanitized ? 0 : is.rss - was.rss)

export function figures(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1])
  const children = childrenOf(pid)
  return {
    fds: readdirSync(`/proc/${pid}/fd`).length, rss: Math.round(kib('VmRSS') / 1024), peak: Math.round(kib('VmHWM') / 1024),
    size: Math.round(kib('VmSize') / 1024),
    children: children.length, zombies: children.filter((p) => p.state === 'Z').length,
    sanitized: /lib[at]san/.test(readFileSync(`/proc/${pid}/maps`, 'utf8')),
  }
}
