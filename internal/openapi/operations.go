package openapi

// inline is a request body whose schema stands here.
func inline(kind string, schema object) map[string]any {
	return object{"requestBody": object{"required": true, "content": object{kind: object{"schema": schema}}}}
}

func fields(names ...string) object {
	props := object{}
	for _, n := range names {
		props[n] = object{"type": "string"}
	}
	return object{"type": "object", "properties": props, "required": names, "additionalProperties": false}
}

// bytesOf is an answer that is no JSON.
func bytesOf(kind string) map[string]any {
	return object{"responses": object{
		"200":     object{"description": "The content.", "content": object{kind: object{"schema": object{"type": "string", "format": "binary"}}}},
		"default": object{"$ref": "#/components/responses/Problem"},
	}}
}

const asJSON = "application/json"

// operations has a line for each route of the API.
var operations = map[string]operation{
	"GET /availability": {does: "Whether somebody is there to chat with, and until when", status: 200, gives: "Availability"},
	"GET /support":      {does: "What the help page is made of", status: 200, gives: "Support"},
	"GET /openapi.json": {does: "This document", status: 200, extra: object{"responses": object{"200": object{"description": "OpenAPI 3.1"}}}},

	"POST /session":      {does: "Sign in", status: 200, gives: "me:Person", extra: inline(asJSON, object{"type": "object", "required": []string{"email", "password"}, "properties": object{"email": object{"type": "string"}, "password": object{"type": "string"}, "code": object{"type": "string"}}})},
	"DELETE /session":    {does: "Sign out", status: 204},
	"GET /me":            {does: "Who is signed in", status: 200, gives: "me:Person"},
	"POST /accounts":     {does: "Ask for a customer's account; answered alike for known and unknown addresses", status: 202, gives: "detail:string", extra: inline(asJSON, fields("name", "email", "password"))},
	"POST /setup":        {does: "Make the first administrator, once", status: 201, gives: "me:Person", extra: inline(asJSON, fields("token", "name", "email", "password"))},
	"GET /tokens":        {does: "One's own API tokens", status: 200, gives: "tokens:[]Token"},
	"POST /tokens":       {does: "Make an API token; its secret is told once", status: 201, gives: "token:Token", extra: inline(asJSON, fields("name"))},
	"DELETE /tokens/:id": {does: "Take an API token back", status: 204},
	"GET /staff":         {does: "Who is on duty, with how many chats", status: 200, gives: "staff:[]Member"},

	"POST /chats":             {does: "Begin a chat; 409 outside_hours, unstaffed, queue_full or diverted says where to go instead", body: "NewChat", status: 201, gives: "chat:Chat,token:string"},
	"GET /chats":              {does: "Ended chats, newest first", query: "mine cursor", status: 200, gives: "chats:[]Chat"},
	"GET /chats/:id":          {does: "A chat", status: 200, gives: "chat:Chat"},
	"GET /chats/:id/messages": {does: "The log of a chat", query: "after limit", status: 200, gives: "messages:[]Message"},
	"GET /chats/:id/context":  {does: "Former chats and tickets of the customer", status: 200, gives: "chats:[]Chat,tickets:[]TicketRow"},
	"POST /chats/:id/files":   {does: "Give uploads to a chat; a message names each by its address", status: 204, extra: inline(asJSON, object{"type": "object", "required": []string{"uploads"}, "properties": object{"uploads": object{"type": "array", "items": object{"type": "string"}}}})},
	"POST /chats/:id/ticket":  {does: "Make a ticket of a chat, with its transcript; done twice it is the same ticket (200)", body: "ChatTicket", status: 201, gives: "ticket:Ticket"},

	"POST /tickets":                     {does: "Send a ticket, day and night", body: "NewTicket", status: 201, gives: "ticket:Ticket"},
	"GET /tickets":                      {does: "Tickets: all for staff, one's own for customers", query: "status priority assignee q view cursor limit", status: 200, gives: "tickets:[]TicketRow"},
	"GET /tickets/counts":               {does: "How many tickets each view has", status: 200, extra: object{"responses": object{"200": object{"description": "Numbers by view"}}}},
	"GET /tickets/:number":              {does: "A ticket", status: 200, gives: "ticket:Ticket"},
	"PATCH /tickets/:number":            {does: "Change a ticket that was read at version; 409 stale", body: "TicketChange", status: 200, gives: "ticket:Ticket"},
	"POST /tickets/:number/comments":    {does: "Answer; a reply to a closed ticket gives its follow-up", body: "NewComment", status: 201, gives: "ticket:Ticket"},
	"POST /tickets/:number/solved":      {does: "The customer says that it is solved", status: 200, gives: "ticket:Ticket"},
	"POST /tickets/:number/escalations": {does: "Ask for a manager; 409 already_escalated has the first", body: "NewEscalation", status: 201, gives: "escalation:Escalation"},
	"POST /tickets/:number/merge":       {does: "Close a ticket into another; 409 other_requester needs confirm", status: 200, gives: "ticket:Ticket", extra: inline(asJSON, object{"type": "object", "required": []string{"into"}, "properties": object{"into": object{"type": "integer"}, "why": object{"type": "string"}, "version": object{"type": "integer"}, "confirm": object{"type": "boolean"}}, "additionalProperties": false})},
	"POST /tickets/:number/unmerge":     {does: "Undo a merge, for a day", status: 200, gives: "ticket:Ticket", extra: object{"requestBody": object{"content": object{asJSON: object{"schema": object{"type": "object", "properties": object{"why": object{"type": "string"}}, "additionalProperties": false}}}}}},
	"GET /escalations":                  {does: "Escalations, newest first", query: "state cursor limit", status: 200, gives: "escalations:[]Escalation"},
	"PATCH /escalations/:id":            {does: "Decide an escalation", body: "Decision", status: 200, gives: "escalation:Escalation"},
	"POST /surveys/:token":              {does: "Answer a survey; again changes the answer", status: 200, gives: "survey:Survey", extra: inline(asJSON, object{"type": "object", "required": []string{"rating"}, "properties": object{"rating": object{"type": "integer", "minimum": 1, "maximum": 5}, "comment": object{"type": "string"}}})},

	"POST /uploads":             {does: "Upload a file in one piece", status: 201, gives: "NewUpload", extra: inline("multipart/form-data", object{"type": "object", "required": []string{"file"}, "properties": object{"file": object{"type": "string", "format": "binary"}}})},
	"POST /uploads/parts":       {does: "Begin an upload in parts", status: 201, gives: "id:string,part_size:integer,parts:integer", extra: inline(asJSON, object{"type": "object", "required": []string{"name", "size"}, "properties": object{"name": object{"type": "string"}, "size": object{"type": "integer"}}})},
	"GET /uploads/:id/parts":    {does: "Which parts are still to come", status: 200, extra: object{"responses": object{"200": object{"description": "Their numbers", "content": object{asJSON: object{"schema": object{"type": "object", "properties": object{"missing": object{"type": "array", "items": object{"type": "integer"}}}}}}}, "default": object{"$ref": "#/components/responses/Problem"}}}},
	"PUT /uploads/:id/parts/:n": {does: "Send a part; again replaces it", status: 204, extra: inline("application/octet-stream", object{"type": "string", "format": "binary"})},
	"POST /uploads/:id/done":    {does: "Join the parts; 409 incomplete", status: 201, gives: "NewUpload"},
	"GET /uploads/:id":          {does: "The bytes, for saving", status: 200, extra: bytesOf("application/octet-stream")},
	"GET /uploads/:id/preview":  {does: "A picture of it, written anew", status: 200, extra: bytesOf("image/png")},

	"GET /settings":           {does: "The settings document", status: 200, gives: "Settings"},
	"PUT /settings":           {does: "Write the document read at version; acts at once on every node; 409 stale", body: "Settings", status: 200, gives: "Settings"},
	"POST /settings/preview":  {does: "What a draft would do: two weeks of hours, and the waits that would move", body: "Settings", status: 200, extra: object{}, gives: "days:[]Day,timezone:string,moves_count:integer"},
	"POST /settings/holidays": {does: "Read holidays from an iCalendar file; nothing is kept", status: 200, gives: "holidays:[]Holiday", extra: inline("text/calendar", object{"type": "string"})},
	"GET /settings/history":   {does: "Who changed what", status: 200, extra: object{"responses": object{"200": object{"description": "The last fifty documents, newest first"}}}},

	"GET /outbox":            {does: "Mails, newest first", query: "state cursor limit", status: 200, gives: "mails:[]Mail"},
	"GET /outbox/:id":        {does: "A mail as its reader gets it", status: 200, gives: "mail:Mail"},
	"GET /outbox/:id/html":   {does: "The same as a page, without anything that runs", status: 200, extra: bytesOf("text/html")},
	"POST /outbox/:id/retry": {does: "Try a mail again now", status: 200, gives: "mail:Mail"},
}
