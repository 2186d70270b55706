import { signal } from '@preact/signals'
import { call } from '../lib/api'
import { clock, day, learn, now } from '../lib/time'

export interface Availability { chat: 'available' | 'busy' | 'unstaffed' | 'closed'; opens_at: string | null; closes_at: string | null; timezone: string; wait_seconds: number; now: string; champions: string[] }
/** What the gate says at this moment; null until it is known. The server decides when the chat begins. */
export const gate = signal<Availability | null>(null)
export const shut = (a: Availability | null): boolean => a?.chat === 'closed' || a?.chat === 'unstaffed'

let timer = 0
/** Looks every quarter of a minute, and at the instant of opening or closing. */
export async function watch(): Promise<void> {
  clearTimeout(timer)
  let pause = 15_000
  try {
    const a = await call<Availability>('/availability')
    learn(a.now)
    gate.value = a
    const next = a.opens_at ?? a.closes_at
    if (next) pause = Math.min(pause, Math.max(Date.parse(next) - now() + 50, 250))
  } catch { /* the next look says more */ }
  timer = window.setTimeout(() => void watch(), pause)
}
export function unwatch(): void { clearTimeout(timer) }

/** Says in words how it stands, with the reader's own time where it is another. */
export function words(a: Availability): { title: string; detail: string } {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone
  const both = (at: string, say: typeof clock) => say(at, a.timezone) + (a.timezone === here ? '' : ` ${zone(a.timezone, at)} (${say(at)} your time)`)
  switch (a.chat) {
    case 'closed': return { title: a.opens_at ? `Chat opens ${both(a.opens_at, day)}` : 'Chat is closed', detail: 'Tickets are open day and night.' }
    case 'unstaffed': return { title: 'No Customer Champion is here at this moment', detail: 'This page notices when somebody comes. Tickets are answered by the next business day.' }
    case 'busy': return { title: 'Everybody is in a conversation', detail: a.wait_seconds > 0 ? `About ${Math.max(1, Math.round(a.wait_seconds / 60))} min to wait; you keep your place.` : 'You are next in line.' }
    default: return { title: a.champions.length ? `${a.champions.slice(0, 3).join(', ')} ${a.champions.length === 1 ? 'is' : 'are'} here` : 'Somebody is here', detail: a.closes_at ? `Until ${both(a.closes_at, clock)}.` : '' }
  }
}
function zone(name: string, at: string): string {
  return new Intl.DateTimeFormat(undefined, { timeZone: name, timeZoneName: 'short' }).formatToParts(new Date(at)).find(p => p.type === 'timeZoneName')?.value ?? name
}
