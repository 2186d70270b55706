package chat

// appendArgs makes the six array parameters of append_messages, as PostgreSQL's array literals, in
// buffers that are used again: at thousands of messages a second this is what a batch allocates.
type appendArgs struct{ bufs [6][]byte }

func (a *appendArgs) fill(batch []*Entry) {
	for i := range a.bufs {
		a.bufs[i] = append(a.bufs[i][:0], '{')
	}
	for n, e := range batch {
		if n > 0 {
			for i := range a.bufs {
				a.bufs[i] = append(a.bufs[i], ',')
			}
		}
		a.bufs[0] = append(a.bufs[0], e.Chat...)
		a.bufs[1] = appendElement(a.bufs[1], e.ID)
		a.bufs[2] = append(a.bufs[2], byte('0'+e.Sender))
		if e.SenderID == "" {
			a.bufs[3] = append(a.bufs[3], "NULL"...)
		} else {
			a.bufs[3] = append(a.bufs[3], e.SenderID...)
		}
		a.bufs[4] = appendElement(a.bufs[4], e.Name)
		a.bufs[5] = appendElement(a.bufs[5], e.Body)
	}
	for i := range a.bufs {
		a.bufs[i] = append(a.bufs[i], '}')
	}
}

func (a *appendArgs) chats() string     { return string(a.bufs[0]) }
func (a *appendArgs) ids() string       { return string(a.bufs[1]) }
func (a *appendArgs) senders() string   { return string(a.bufs[2]) }
func (a *appendArgs) senderIDs() string { return string(a.bufs[3]) }
func (a *appendArgs) names() string     { return string(a.bufs[4]) }
func (a *appendArgs) bodies() string    { return string(a.bufs[5]) }

// appendElement quotes one text element.
func appendElement(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if c := s[i]; c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}
