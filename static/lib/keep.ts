/** Storage that works where browsers refuse it: then it lasts as long as the page. */
const memory = new Map<string, string>()
export function load<T>(key: string, other: T): T {
  let raw: string | null | undefined
  try { raw = localStorage.getItem(`chatnow.${key}`) } catch { raw = memory.get(key) }
  if (!raw) return other
  try { return JSON.parse(raw) as T } catch { return other }
}
export function save(key: string, value: unknown): void {
  const raw = value === null || value === undefined ? null : JSON.stringify(value)
  try {
    if (raw === null) localStorage.removeItem(`chatnow.${key}`)
    else localStorage.setItem(`chatnow.${key}`, raw)
  } catch {
    if (raw === null) memory.delete(key)
    else memory.set(key, raw)
  }
}
