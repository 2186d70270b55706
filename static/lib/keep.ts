/** Storage that works where browsers refuse it: then it lasts as long as the page. */
const memory = new Map<string, string>()

/** Whether this browser keeps nothing for this page, as it may for a page in a frame. */
export const denied = ((): boolean => {
  try {
    localStorage.setItem('chatnow.try', '1')
    localStorage.removeItem('chatnow.try')
    return false
  } catch { return true }
})()

export function load<T>(key: string, other: T): T {
  const raw = denied ? memory.get(key) : localStorage.getItem(`chatnow.${key}`)
  if (!raw) return other
  try { return JSON.parse(raw) as T } catch { return other }
}
export function save(key: string, value: unknown): void {
  const raw = value === null || value === undefined ? null : JSON.stringify(value)
  if (raw === null) memory.delete(key)
  else memory.set(key, raw)
  if (denied) return
  try {
    if (raw === null) localStorage.removeItem(`chatnow.${key}`)
    else localStorage.setItem(`chatnow.${key}`, raw)
  } catch { /* full: it is kept as long as the page */ }
}
