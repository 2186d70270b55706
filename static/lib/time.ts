let offset = 0
/** Learns the server's clock, so that a wrong clock here does no harm. */
export function learn(serverNow: string): void { offset = Date.parse(serverNow) - Date.now() }
export function now(): number { return Date.now() + offset }
export function clock(at: string | number, zone?: string): string {
  return new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit', ...(zone ? { timeZone: zone } : {}) }).format(new Date(at))
}
export function day(at: string | number, zone?: string): string {
  return new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long', hour: 'numeric', minute: '2-digit', ...(zone ? { timeZone: zone } : {}) }).format(new Date(at))
}
/** Wed 25 Nov, 8:07: where there is little room. */
export function shortDay(at: string | number): string {
  return new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' }).format(new Date(at))
}
/** 4:12, or 1:04:12. */
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
}
/** 3 days, 4 h 12 min, or 12 min: what is left of a promise. */
export function longSpan(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  const hours = Math.floor(minutes / 60)
  if (hours >= 48) return `${Math.floor(hours / 24)} days`
  return hours ? `${hours} h ${minutes % 60} min` : `${minutes} min`
}
