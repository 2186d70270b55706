import { call } from '../lib/api'
import { learn, now } from '../lib/time'

interface Availability { chat: string; open: boolean; opens_at: string | null; closes_at: string | null; timezone: string; wait_seconds: number; now: string; champions: string[] }
const box = document.getElementById('answer')!
const set = (id: string, text: string) => { document.getElementById(id)!.textContent = text }
const mine = Intl.DateTimeFormat().resolvedOptions().timeZone
let change = 0
let known = box.dataset['chat']
learn(box.dataset['now']!)

/** The page says what the gate says, and changes at the instant. */
function plan(opens: string | null, closes: string | null): void {
  clearTimeout(change)
  const next = opens ?? closes
  if (next) change = window.setTimeout(look, Math.min(Math.max(Date.parse(next) - now() + 50, 250), 2 ** 31 - 1))
}
function both(at: string, zone: string): string {
  return mine === zone ? '' : `That is ${new Intl.DateTimeFormat(undefined, { weekday: 'long', hour: 'numeric', minute: '2-digit' }).format(new Date(at))} your time. `
}
async function look(): Promise<void> {
  try {
    const a = await call<Availability>('/availability')
    learn(a.now)
    if ((known === 'closed') !== (a.chat === 'closed') || (known === 'unstaffed') !== (a.chat === 'unstaffed')) location.reload()
    known = a.chat
    box.dataset['chat'] = a.chat
    show(a.opens_at, a.closes_at, a.timezone, a.wait_seconds)
  } catch { /* the page stays as it is; the next look says more */ }
}
function show(opens: string | null, closes: string | null, zone: string, wait: number): void {
  plan(opens, closes)
  if (opens) {
    const left = Date.parse(opens) - now()
    const hours = Math.floor(left / 3_600_000)
    set('detail', `${both(opens, zone)}${hours >= 1 ? `In ${hours} h ${Math.floor(left / 60_000) % 60} min.` : left > 60_000 ? `In ${Math.ceil(left / 60_000)} minutes.` : 'In a minute.'} The ticket form is open day and night.`)
  } else if (closes && known !== 'unstaffed') {
    set('detail', `${both(closes, zone)}${wait > 0 ? `About ${Math.ceil(wait / 60)} min to wait.` : 'Somebody is with you in a moment.'}`)
  }
}
show(box.dataset['opens'] || null, box.dataset['closes'] || null, box.dataset['zone']!, 0)
setInterval(look, 15_000)
