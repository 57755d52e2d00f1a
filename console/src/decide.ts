// Decisions, sent about just what was shown.
import { post, send } from './api'
import { prove } from './passkey'
import type { Request } from './types'

export interface Yes {
  reason: string
  minutes?: number
  glass?: boolean // alone, while break-glass is open
  text?: string // edited arguments: the text itself is sent, so that no digit changes on the way
}

const of = (r: Request, verb: string) => `/admin/v1/approvals/${r.id}/${verb}`

export async function approve(r: Request, { reason, minutes, glass, text }: Yes, signal: AbortSignal) {
  const small = JSON.stringify({ digest: r.digest, ...(reason && { reason }), ...(minutes && { minutes }), ...(glass && { breakGlass: true }) })
  const body = text === undefined ? small : `${small.slice(0, -1)},"arguments":${text}}`
  const headers = await prove('POST', of(r, 'approve'), body, signal)
  return (await send<{ state: string }>('POST', of(r, 'approve'), { text: body, headers })).json
}

export const deny = (r: Request, reason: string, kill: boolean) =>
  post(of(r, 'deny'), { digest: r.digest, ...(reason && { reason }), ...(kill && { kill }) })
