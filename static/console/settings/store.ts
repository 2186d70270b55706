import { computed, signal } from '@preact/signals'
import { call, Problem, type FieldError } from '../../lib/api'
import { text } from './text'

export type Spans = [string, string][]
export interface Holiday { date: string; name: string; hours: Spans }
export interface Product { id: string; name: string; served: boolean; version: string; url: string; explanation: string; aliases: string[] }
export interface Level { id: string; name: string; question: string; definition: string; scenarios: string[] }
export interface Doc {
  version: number; name: string; timezone: string; hours: Record<string, Spans>; holidays: Holiday[]
  policy: Record<string, unknown> & { update_within: Record<string, string>; reminders: string[]; counting: string; queue_limit: number; survey_silent: boolean }
  products: Product[]; priorities: Level[]; destinations: string[]; links: { policy: string; versions: string }
  limits: Record<string, number>; device_pattern: string
}
export interface Day { date: string; weekday: string; open: Spans; holiday?: string; today?: boolean }
export interface Move { number: number; subject: string; what: string; from: string | null; to: string | null }
export interface Preview { days: Day[]; moves: Move[]; moves_count: number; timezone: string }

export const saved = signal<Doc | null>(null)
export const draft = signal<Doc | null>(null)
export const wrong = signal<FieldError[]>([])
export const said = signal('')
export const failed = signal('')
export const preview = signal<Preview | null>(null)
export const changed = computed(() => JSON.stringify(saved.value) !== JSON.stringify(draft.value))

export async function load(): Promise<void> {
  if (draft.value) return
  try {
    saved.value = await call<Doc>('/settings')
    draft.value = structuredClone(saved.value)
    void look()
  } catch (e) { failed.value = (e as Problem).message }
}

let soon = 0
/** Changes the draft; what it would do is shown a moment later. */
export function edit(change: (d: Doc) => void): void {
  const d = structuredClone(draft.value!)
  change(d)
  draft.value = d
  said.value = ''
  clearTimeout(soon)
  soon = window.setTimeout(() => void look(), 400)
}

async function look(): Promise<void> {
  try {
    preview.value = await call<Preview>('/settings/preview', { body: draft.value })
    wrong.value = []
  } catch (e) { wrong.value = (e as Problem).errors }
}

export function fault(field: string): string | undefined { return wrong.value.find(w => w.field === field)?.detail }

export async function save(): Promise<void> {
  failed.value = ''
  try {
    saved.value = await call<Doc>('/settings', { method: 'PUT', body: draft.value })
    draft.value = structuredClone(saved.value)
    wrong.value = []
    said.value = text.kept
    void look()
  } catch (e) {
    const p = e as Problem
    wrong.value = p.errors
    failed.value = p.errors.length ? `${p.errors.length === 1 ? 'One field is' : `${p.errors.length} fields are`} not right: ${p.errors.map(x => x.field).join(', ')}.` : p.message
    if (p.code === 'stale') await rebase()
    setTimeout(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
  }
}

/** Puts what was changed here on top of what somebody else has saved. */
async function rebase(): Promise<void> {
  const theirs = await call<Doc>('/settings')
  const mine = draft.value as unknown as Record<string, unknown>
  const base = saved.value as unknown as Record<string, unknown>
  const next = structuredClone(theirs) as unknown as Record<string, unknown>
  const other: string[] = []
  for (const key of Object.keys(mine)) {
    if (key === 'version') continue
    if (JSON.stringify(mine[key]) !== JSON.stringify(base[key])) next[key] = mine[key]
    if (JSON.stringify(next[key]) !== JSON.stringify(base[key]) && JSON.stringify(mine[key]) === JSON.stringify(base[key])) other.push(key)
  }
  saved.value = theirs
  draft.value = next as unknown as Doc
  failed.value = `${text.stale}${other.length ? ` Changed by somebody else: ${other.join(', ')}.` : ''}`
}

export function discard(): void {
  draft.value = structuredClone(saved.value)
  wrong.value = []
  failed.value = ''
  void look()
}
window.addEventListener('beforeunload', e => { if (changed.value) e.preventDefault() })
