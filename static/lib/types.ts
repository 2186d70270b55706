/** The wire, as docs and contract name it. */
export interface From { kind: 'customer' | 'champion' | 'system'; name: string }
export interface Message { seq: number; id: string; from: From; body: string; at: string }
export interface Note { id: string; from: From; body: string; at: string; after_seq: number }
export interface Chat {
  id: string
  state: 'queued' | 'active' | 'ended' | 'missed'
  reason?: string
  position: number | null
  wait_seconds: number | null
  customer: { name: string; email: string; online: boolean }
  champion: { id: string; name: string } | null
  product: string
  page_url: string
  question: string
  seq: number
  ticket: number | null
  read: { customer: number; champion: number }
  created_at: string
  waiting_since: string
  ended_at?: string | null
  draft?: { subject: string; description: string }
  offered_to?: string | null
  last_customer_at?: string | null
  last_champion_at?: string | null
  preview?: string
  user_agent?: string
}
export interface Member { id: string; name: string; role: string; state: string; capacity: number; active: number }
export interface Priority { id: string; name: string; question: string; definition: string; scenarios: string[] }
export interface Support { name: string; timezone: string; products: { id: string; name: string; served: boolean; version: string; url: string; explanation: string }[]; priorities: Priority[]; destinations: string[] }
export interface Frame { type: string; [key: string]: unknown }
/** A message that has not been acknowledged; it is kept until it is. */
export interface Unsent { id: string; chat: string; body: string; at: string }
