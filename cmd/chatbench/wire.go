package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

type sock struct {
	ws *websocket.Conn
	mu sync.Mutex
}

func (s *sock) write(ctx context.Context, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ws.Write(ctx, websocket.MessageText, raw)
}

type frame struct {
	Type string          `json:"type"`
	ID   string          `json:"id"`
	Seq  int64           `json:"seq"`
	Chat json.RawMessage `json:"chat"`
	Code string          `json:"code"`
}

func (b *bench) dial(ctx context.Context, path string, header http.Header) (*sock, error) {
	ws, _, err := websocket.Dial(ctx, strings.Replace(b.base, "http", "ws", 1)+path, &websocket.DialOptions{Subprotocols: []string{"chatnow.v1"}, HTTPHeader: header})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(1 << 22)
	return &sock{ws: ws}, nil
}

func (b *bench) post(path string, cookie string, in, out any) (*http.Response, error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(http.MethodPost, b.base+path, bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return res, fmt.Errorf("%s answers %s", path, res.Status)
	}
	return res, json.NewDecoder(res.Body).Decode(out)
}
