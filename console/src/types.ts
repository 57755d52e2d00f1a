// What the gateway answers, as far as these pages look at it.
export type Risk = 'low' | 'medium' | 'high' | 'critical'
export type State = 'pending' | 'granted' | 'taken' | 'done' | 'denied' | 'expired' | 'void'

export interface Passkey {
  id: string
  name: string
  createdAt: string
  lastUsedAt: string | null
}

export interface Me {
  name: string
  role: 'viewer' | 'approver' | 'operator' | 'admin'
  groups: string[]
  csrf?: string // when signing in
  by: 'link' | 'passkey'
  mayEnrol: boolean
  passkeys: Passkey[]
  expiresAt: string
  now: string
  version: string
}

// A row of the inbox.
export interface Waiting {
  id: string
  state: State
  risk: Risk
  tool: string
  agentId: string
  agentType: string
  sessionId: string
  user: string
  createdAt: string
  expiresAt: string
  digest: string
  people: number
  reviewers: string[]
  escalateTo: string[] // may decide as well, once escalatedAt is there
  escalatedAt: string | null
  approvedBy: string[]
}

// What the stream says of one: it is new, somebody said yes, or it is over.
export interface News {
  id: string
  before: State | 'none'
  state: State
  tool: string
  agentId: string
  risk: Risk
  createdAt: string
  expiresAt: string
  people: number
  approved: number
  escalatedAt: string | null
  by: string
  channel: string
}

export interface Field {
  name: string
  value: string
  note?: string
  depth?: number
  bytes?: number
  sha256?: string
}

export interface Section {
  part: string
  title: string
  untrusted: boolean
  fields: Field[]
}

export interface Decision {
  at: string
  by: string
  channel: string
  edited: boolean
  breakGlass?: boolean
  reason: string
  verdict: string
}

export interface Request extends Omit<Waiting, 'approvedBy'> {
  why: string[]
  decisions: Decision[]
  reason: string
  made: boolean // of done
  headline: string
  deadline: string
  masked: boolean
  sections: Section[]
}

export interface Review {
  id: number
  queuedAt: string
  agentId: string
  agentType: string | null
  sessionId: string
  user: string | null
  tool: string
  result: string | null
}

// An entry of the record.
export interface Entry {
  seq: number
  timestamp: string
  event: string
  actor: string | null
  agentId: string | null
  agentType: string | null
  sessionId: string | null
  toolName: string | null
  triggerUserId: string | null
  result: string | null
  code: string | null
  latencyMs: number | null
  policyDecision: { allowed: boolean; reason: string | null } | null
}

export interface Figures {
  hours: number
  decisions: number
  more: boolean
  approved: number
  denied: number
  approvedPercent: number | null
  medianDwellMs: number | null
  hint: string | null
}
