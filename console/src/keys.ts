// The keyboard. No key decides anything: keys move, and open what is then confirmed.
import { useLayoutEffect, useRef } from 'preact/hooks'

export type Keys = Record<string, (e: KeyboardEvent) => void>

const typing = (at: EventTarget | null) => at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName))

export function useKeys(keys: Keys) {
  const current = useRef(keys)
  current.current = keys
  useLayoutEffect(() => { // as soon as it can be seen: nobody waits for a key to work
    const press = (e: KeyboardEvent) => {
      const then = current.current[e.key]
      if (!then || e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return
      if (document.querySelector('dialog[open]') || (e.key !== 'Escape' && typing(e.target))) return
      e.preventDefault()
      then(e)
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [])
}

// The next of those that fit, from the one that has the focus.
export function move(by: 1 | -1, selector: string) {
  const all = [...document.querySelectorAll<HTMLElement>(selector)]
  const at = all.findIndex((e) => e.contains(document.activeElement))
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}
