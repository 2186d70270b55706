import { signal } from '@preact/signals'
import { call, Problem } from '../../lib/api'
import { clock, day, now } from '../../lib/time'
import { me, support } from '../store'
import type { Values } from './fill'

export interface Macro { id: string; name: string; body: string; version: number; by: string; updated_at: string }
export const macros = signal<Macro[] | null>(null)
export const variables = signal<string[]>([])
export const failed = signal('')
/** The box whose picker is open; empty when none is. */
export const picking = signal('')

export async function load(): Promise<void> {
  try {
    const r = await call<{ macros: Macro[]; variables: string[] }>('/macros')
    macros.value = r.macros
    variables.value = r.variables
    failed.value = ''
  } catch (e) { failed.value = (e as Problem).message }
}

const first = (name: string) => name.trim().split(/\s+/)[0] ?? ''
let hours: Values = {}
/** When chat opens and closes next, for macros that say so. */
async function look(): Promise<void> {
  const a = await call<{ opens_at: string | null; closes_at: string | null; timezone: string; now: string }>('/availability').catch(() => null)
  if (!a) return
  const today = (at: string) => new Date(at).toDateString() === new Date(now()).toDateString()
  const say = (at: string | null) => at ? (today(at) ? clock : day)(at, a.timezone) : undefined
  hours = Object.fromEntries([['hours.opens', say(a.opens_at)], ['hours.closes', say(a.closes_at)]].filter(([, v]) => v))
}

/** Opens the picker of a box, with what is newest. */
export function pick(box: string): void {
  picking.value = box
  void load()
  void look()
}

export interface About { name: string; email: string; ticket: number | null; product: string }
export function values(a: About): Values {
  const p = support.value?.products.find(x => x.name === a.product) ?? support.value?.products.find(x => x.served)
  const champion = me.value?.name ?? ''
  return { ...hours, 'customer.name': a.name, 'customer.first_name': first(a.name), 'customer.email': a.email, 'champion.name': champion, 'champion.first_name': first(champion),
    'ticket.number': a.ticket ? String(a.ticket) : '', 'product.name': a.product || p?.name || '', 'product.version': p?.version ?? '' }
}
