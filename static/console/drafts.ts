import { signal } from '@preact/signals'
import { call } from '../lib/api'
import { load, save } from '../lib/keep'

/** What is written and not sent. `kept` says that the server has it, so that another machine can go on. */
interface Draft { body: string; at: number; kept: boolean }
export const drafts = signal<Record<string, Draft>>(load('console.written', {}))
export function written(place: string): string { return drafts.value[place]?.body ?? '' }

function set(next: Record<string, Draft>): void { drafts.value = next; save('console.written', next) }
const timers: Record<string, number> = {}

/** Keeps a draft here at once, and on the server when the hand rests; empty, it is gone from both. */
export function write(place: string, body: string): void {
  const { [place]: before, ...others } = drafts.value
  if (!body && !before) return
  set({ ...others, [place]: { body, at: Date.now(), kept: false } })
  clearTimeout(timers[place])
  timers[place] = window.setTimeout(() => void hand(place), body ? 800 : 0)
}

async function hand(place: string): Promise<void> {
  const d = drafts.value[place]
  if (!d || d.kept) return
  try {
    await call('/drafts', { method: 'PUT', body: { place, body: d.body } })
    if (drafts.value[place] !== d) return // written on meanwhile
    const { [place]: _, ...others } = drafts.value
    set(d.body ? { ...drafts.value, [place]: { ...d, kept: true } } : others)
  } catch { timers[place] = window.setTimeout(() => void hand(place), 10_000) } // it stays here until then
}

/** Takes in what was written on another machine. What was changed here since it was last kept is the newer. */
export async function fetchDrafts(): Promise<void> {
  try {
    const list = (await call<{ drafts: { place: string; body: string; at: string }[] }>('/drafts')).drafts
    const next: Record<string, Draft> = {}
    for (const d of list) next[d.place] = { body: d.body, at: Date.parse(d.at), kept: true }
    for (const [place, d] of Object.entries(drafts.value)) if (!d.kept) { next[place] = d; void hand(place) }
    set(next)
  } catch { /* what is here is enough until the next time */ }
}
export function watchDrafts(): void {
  void fetchDrafts()
  document.addEventListener('visibilitychange', () => { if (!document.hidden) void fetchDrafts() })
}
