import { computed, signal } from '@preact/signals'
import { call, Problem, type FieldError } from '../../lib/api'
import { differences, merge, type Difference } from './diff'
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
export type Section = keyof typeof text.sections
export const section = signal<Section>('hours')
export const meanwhile = signal<(Difference & { clash: boolean })[] | null>(null)
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

let asked = 0
async function look(): Promise<void> {
  const turn = ++asked // an answer to an older draft says nothing about this one
  try {
    const p = await call<Preview>('/settings/preview', { body: draft.value })
    if (turn === asked) { preview.value = p; wrong.value = [] }
  } catch (e) { if (turn === asked && (e as Problem).errors.length) wrong.value = (e as Problem).errors }
}

/** What the server says about a field, and with within also about what is in it. */
export function fault(field: string, within = false): string | undefined {
  return wrong.value.find(w => w.field === field || (within && w.field.startsWith(`${field}[`)))?.detail
}
/** The section that a field stands in. */
export function place(field: string): Section {
  const top = field.split(/[.[]/)[0]!
  if (field === 'policy.queue_limit') return 'lists'
  return ({ timezone: 'hours', hours: 'hours', holidays: 'holidays', policy: 'waits', products: 'products', priorities: 'priorities' } as Record<string, Section>)[top] ?? 'lists'
}

export async function save(): Promise<void> {
  failed.value = ''
  const sent = draft.value!
  try {
    const now = await call<Doc>('/settings', { method: 'PUT', body: sent })
    draft.value = merge(sent, draft.value!, now) // what was typed meanwhile stays
    saved.value = now
    wrong.value = []
    meanwhile.value = null
    said.value = text.kept
    void look()
  } catch (e) {
    const p = e as Problem
    failed.value = p.message
    if (p.code === 'stale') await rebase()
    else if (p.errors.length) showFaults(p.errors)
  }
}

/** Says where the faults are, and puts the focus into the first. */
function showFaults(errors: FieldError[]): void {
  wrong.value = errors
  const places = [...new Set(errors.map(w => place(w.field)))]
  failed.value = text.faults(errors.length, places.map(s => text.sections[s]).join(', '))
  if (!places.includes(section.value)) section.value = places[0]!
  setTimeout(() => document.querySelector<HTMLElement>('.settings [aria-invalid="true"], .settings .wrong[tabindex]')?.focus())
}

/** Puts what was changed here on top of what somebody else has saved, and says what that was. */
async function rebase(): Promise<void> {
  try {
    const theirs = await call<Doc>('/settings')
    const base = saved.value!
    const mine = draft.value!
    const own = new Set(differences(base, mine).map(d => d.path))
    meanwhile.value = differences(base, theirs).map(d => ({ ...d, clash: own.has(d.path) }))
    draft.value = { ...merge(base, mine, theirs), version: theirs.version }
    saved.value = theirs
    failed.value = meanwhile.value.length ? '' : text.same
    void look()
  } catch (e) { failed.value = (e as Problem).message }
}

export function discard(): void {
  draft.value = structuredClone(saved.value)
  wrong.value = []
  failed.value = ''
  meanwhile.value = null
  void look()
}
window.addEventListener('beforeunload', e => { if (changed.value) e.preventDefault() })
