// Where one is: the address is the state, so that a link leads there and "back" goes back.
import { signal } from '@preact/signals'

export const path = signal(location.pathname)

export function go(to: string, replace = false) {
  if (to === path.value) return
  history[replace ? 'replaceState' : 'pushState'](null, '', to)
  path.value = to
}

addEventListener('popstate', () => (path.value = location.pathname))

document.addEventListener('click', (e) => {
  const link = (e.target as Element | null)?.closest?.('a')
  if (!link || e.defaultPrevented || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey || link.target) return
  if (link.origin !== location.origin || link.hash) return
  e.preventDefault()
  go(link.pathname)
})

export const requestOf = (at: string) => /^\/approvals\/([\w]+)$/.exec(at)?.[1]
export const requestPath = (id: string) => `/approvals/${id}`
