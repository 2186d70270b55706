import { plain } from './duration'

export interface Difference { path: string; from: string; to: string }
type Thing = Record<string, unknown>
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
const isThing = (v: unknown): v is Thing => typeof v === 'object' && v !== null && !Array.isArray(v)

/** A value as people say it: hours, waits, lists of words, and a thing by its name. */
function words(v: unknown): string {
  if (v === undefined) return 'nothing'
  if (typeof v === 'boolean') return v ? 'yes' : 'no'
  if (typeof v === 'string') return plain(v) || (v ? `“${v.slice(0, 200)}”` : 'empty')
  if (isThing(v)) return words(v['name'] ?? JSON.stringify(v))
  if (!Array.isArray(v)) return String(v)
  if (v.length === 0) return 'none'
  return v.map(one => Array.isArray(one) ? one.join('–') : words(one)).join(', ').slice(0, 400)
}

/** What differs from a to b, each by its path. */
export function differences(a: unknown, b: unknown, path = ''): Difference[] {
  if (same(a, b) || path === 'version') return []
  if (isThing(a) && isThing(b)) return keys(a, b).flatMap(k => differences(a[k], b[k], path ? `${path}.${k}` : k))
  const [x, y] = [named(a), named(b)]
  if (x && y) return keys(x, y).flatMap(k => differences(x[k], y[k], `${path}[${k}]`))
  return [{ path, from: words(a), to: words(b) }]
}

/** Puts what was changed from base to mine on top of theirs. Where both changed the same thing, mine stays. */
export function merge<T>(base: T, mine: T, theirs: T): T { return join(base, mine, theirs) as T }
function join(base: unknown, mine: unknown, theirs: unknown): unknown {
  if (same(mine, base)) return theirs
  if (same(theirs, base)) return mine
  if (isThing(mine) && isThing(theirs)) return joinKeys(isThing(base) ? base : {}, mine, theirs)
  const [b, m, t] = [named(base), named(mine), named(theirs)]
  return b && m && t ? Object.values(joinKeys(b, m, t)) : mine
}
function joinKeys(base: Thing, mine: Thing, theirs: Thing): Thing {
  const out: Thing = {}
  for (const k of keys(theirs, mine)) {
    const v = join(base[k], mine[k], theirs[k])
    if (v !== undefined) out[k] = v
  }
  return out
}
const keys = (a: Thing, b: Thing) => [...new Set([...Object.keys(a), ...Object.keys(b)])]

/** A list of products, priorities or holidays by what each is known by; nothing where that is not one and only. */
function named(list: unknown): Thing | null {
  if (!Array.isArray(list) || !list.every(isThing)) return null
  const out: Thing = {}
  for (const one of list as Thing[]) {
    const name = one['id'] ?? one['date']
    if (typeof name !== 'string' || !name || name in out) return null
    out[name] = one
  }
  return out
}
