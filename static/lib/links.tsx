import { FileCard, fileOf } from './files'

/** Text with its links and files; never HTML. Only http and https are links. */
export function Linked({ text }: { text: string }) {
  const lines = text.split('\n')
  const file = fileOf(lines[lines.length - 1]!)
  if (file && lines.length === 2) return <FileCard id={file} name={lines[0]!} />
  const parts = text.split(/(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/g)
  return <>{parts.map((p, i) => i % 2 ? <a href={p} target="_blank" rel="noopener noreferrer nofollow">{p}</a> : p)}</>
}
export function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  return ((words[0]?.[0] ?? '') + (words.length > 1 ? words[words.length - 1]![0] : '')).toUpperCase()
}
