export interface Spread { n: number; median: number; p90: number; buckets: { below: number; n: number }[] }
export interface Report {
  from: string; to: string; zone: string
  chats: { all: number; taken: number; missed: number; converted: number }
  heat: { weekday: number; hour: number; n: number }[]
  waits: Spread; replies: Spread
  backlog: { day: string; low: number; normal: number; high: number; urgent: number }[]
  ratings: { sent: number; answered: number; mean: number; by: number[]; comments: { ticket: number; rating: number; comment: string; at: string }[] }
  champions: { id: string; name: string; chats: number; answers: number; solved: number }[]
}
export interface Row { chat?: string; ticket?: number; name: string; email: string; text: string; state: string; champion: string; at: string; took: number | null }
/** 40 s, 3 min, 5 h, 2 days. */
export function took(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86400)} days`
}
