package openapi

// operation is one line of the table. What follows from the route stands in no line: who may, the path's
// parameters, and most refusals.
type operation struct {
	does      string
	query     string // names of the query's parameters; lists with cursor or after page
	body      string // schema of the JSON body; other bodies have their media type before it
	bare      bool   // the body may be left out
	status    int
	also      string // other statuses that are no refusals, with the same content
	gives     string // "ticket:Ticket" is {"ticket": Ticket}, "Support" that alone, "image/png" bytes; empty: no content
	once      bool   // takes Idempotency-Key
	limited   bool   // so many a minute from one address
	conflicts string // codes of 409
	fails     []int  // refusals that do not follow from the rest
}

// inPath and inQuery are the schemas of parameters.
var (
	inPath = object{
		"number": object{"type": "integer", "minimum": 1},
		"id":     object{"type": "string", "format": "uuid"},
		"token":  object{"type": "string"},
		"n":      object{"type": "integer", "minimum": 0},
	}
	inQuery = map[string]object{
		"cursor":            {"schema": object{"type": "string"}, "description": "The next_cursor of the page before."},
		"limit":             {"schema": object{"type": "integer", "minimum": 1, "maximum": 100}},
		"after":             {"schema": object{"type": "integer", "minimum": 0}, "description": "The seq that was read last."},
		"from":              {"schema": object{"type": "string", "format": "date"}, "description": "First day; 29 days before to, if it is left out."},
		"to":                {"schema": object{"type": "string", "format": "date"}, "description": "Last day; today, if it is left out."},
		"zone":              {"schema": object{"type": "string"}, "description": "IANA name; the company's, if it is left out."},
		"of":                {"schema": object{"type": "string"}, "description": "all, taken, missed, converted, heat:<weekday>:<hour>, wait:<bucket>, reply:<bucket>, rating:<1 to 5>, champion:<id> or tickets."},
		"mine":              {"schema": object{"type": "string"}, "description": "Anything: only those that one had oneself."},
		"q":                 {"schema": object{"type": "string"}, "description": "Words, people, computers and numbers."},
		"status":            {"schema": schemaRef("Status")},
		"priority":          {"schema": schemaRef("Level")},
		"assignee":          {"schema": object{"type": "string"}, "description": "Id of a champion, me, or none."},
		"view":              {"schema": object{"type": "string", "enum": []string{"active", "mine", "unassigned", "due_today", "pending", "escalated"}}, "description": "For staff."},
		"state:chats":       {"schema": object{"type": "string", "enum": []string{"queued", "active", "ended"}}, "description": "Ended and missed ones, if it is left out."},
		"state:escalations": {"schema": object{"type": "string", "enum": []string{"open", "accepted", "declined", "done"}}},
		"state:mails":       {"schema": object{"type": "string", "enum": []string{"waiting", "sent", "failed", "held"}}},
	}
)

// operations has a line for each route of the API.
var operations = map[string]operation{
	"GET /availability": {does: "Whether somebody is there to chat with, and until when", status: 200, gives: "Availability"},
	"GET /support":      {does: "What the help page is made of", status: 200, gives: "Support"},
	"GET /openapi.json": {does: "This document, with an ETag", status: 200, also: "304", gives: "object"},

	"POST /session":      {does: "Sign in; the answer sets the cookie", body: "SignIn", status: 200, gives: "me:Person", limited: true, fails: []int{401}},
	"DELETE /session":    {does: "Sign out", status: 204},
	"GET /me":            {does: "Who is signed in", status: 200, gives: "me:Person"},
	"POST /accounts":     {does: "Ask for a customer's account; answered alike for known and unknown addresses", body: "SignUp", status: 202, gives: "detail:string", once: true, limited: true},
	"POST /setup":        {does: "Make the first administrator, once; the answer sets the cookie", body: "SetUp", status: 201, gives: "me:Person", limited: true, fails: []int{404}},
	"GET /tokens":        {does: "One's own API tokens", status: 200, gives: "tokens:[]Token"},
	"POST /tokens":       {does: "Make an API token; its secret is told once", body: "NewToken", status: 201, gives: "token:MadeToken"},
	"DELETE /tokens/:id": {does: "Take an API token back", status: 204},
	"GET /staff":         {does: "Who is on duty, with how many chats", status: 200, gives: "staff:[]Member"},

	"GET /team":             {does: "Everybody who answers customers, and who did", status: 200, gives: "team:[]Mate"},
	"POST /team":            {does: "Make an account for one more of the team, and mail a link to choose a password", body: "NewMate", status: 201, gives: "member:Mate", once: true, conflicts: "on_team known_address"},
	"PATCH /team/:id":       {does: "Change one of the team; who is disabled or may do less is signed out everywhere", body: "MateChange", status: 200, gives: "member:Mate", conflicts: "last_admin"},
	"POST /team/:id/invite": {does: "Mail another link to choose a password", status: 204, once: true, conflicts: "disabled"},
	"GET /audit":            {does: "Who did what, the newest first", query: "cursor limit", status: 200, gives: "audit:[]Audited", fails: []int{422}},

	"POST /chats":             {does: "Begin a chat; where none may begin, 409 says where to go instead", body: "NewChat", status: 201, gives: "chat:Chat token:string", once: true, limited: true, conflicts: "outside_hours unstaffed queue_full diverted"},
	"GET /chats":              {does: "Chats: ended ones, newest first, or all that wait or go on", query: "state:chats mine cursor", status: 200, gives: "chats:[]Chat", fails: []int{422}},
	"GET /chats/:id":          {does: "A chat", status: 200, gives: "chat:Chat"},
	"GET /chats/:id/messages": {does: "The log of a chat; next_cursor is the next after", query: "after limit", status: 200, gives: "messages:[]Message", fails: []int{422}},
	"GET /chats/:id/context":  {does: "Who the customer is: former chats and tickets of the address", status: 200, gives: "chats:[]Chat tickets:[]TicketRow customer:ChatCustomer"},
	"POST /chats/:id/files":   {does: "Give uploads to a chat; a message names each by its address", body: "ChatFiles", status: 204, conflicts: "ended"},
	"POST /chats/:id/ticket":  {does: "Make a ticket of a chat, with its transcript; done twice it is the same ticket, with 200", body: "ChatTicket", status: 201, also: "200", gives: "ticket:Ticket", once: true},

	"POST /tickets":                     {does: "Send a ticket, day and night", body: "NewTicket", status: 201, gives: "ticket:Ticket", once: true, limited: true},
	"GET /tickets":                      {does: "Tickets, the most pressing first: all for staff, one's own for customers", query: "status priority assignee q view cursor limit", status: 200, gives: "tickets:[]TicketRow"},
	"GET /tickets/counts":               {does: "How many tickets each view has", status: 200, gives: "Counts"},
	"GET /tickets/:number":              {does: "A ticket", status: 200, gives: "ticket:Ticket"},
	"PATCH /tickets/:number":            {does: "Change a ticket that was read at a version", body: "TicketChange", status: 200, gives: "ticket:Ticket", once: true, conflicts: "stale closed"},
	"POST /tickets/:number/comments":    {does: "Answer; a reply to a closed ticket gives its follow-up", body: "NewComment", status: 201, gives: "ticket:Ticket", once: true, conflicts: "closed"},
	"POST /tickets/:number/solved":      {does: "The customer says that it is solved", status: 200, gives: "ticket:Ticket", once: true, conflicts: "closed"},
	"POST /tickets/:number/escalations": {does: "Ask for a manager; one at a time", body: "NewEscalation", status: 201, also: "200", gives: "escalation:Escalation", once: true, limited: true, conflicts: "already_escalated closed"},
	"POST /tickets/:number/merge":       {does: "Close a ticket into another; other_requester needs confirm", body: "Merge", status: 200, gives: "ticket:Ticket", once: true, conflicts: "other_requester closed stale"},
	"POST /tickets/:number/unmerge":     {does: "Undo a merge, for a day", body: "Unmerge", bare: true, status: 200, gives: "ticket:Ticket", once: true, conflicts: "not_merged too_late"},
	"GET /escalations":                  {does: "Escalations, newest first", query: "state:escalations cursor limit", status: 200, gives: "escalations:[]Escalation", fails: []int{422}},
	"PATCH /escalations/:id":            {does: "Decide an escalation", body: "Decision", status: 200, gives: "escalation:Escalation", once: true, conflicts: "decided"},
	"POST /surveys/:token":              {does: "Answer a survey; again changes the answer", body: "Rating", status: 200, gives: "survey:Survey", limited: true, conflicts: "expired"},

	"POST /uploads":             {does: "Upload a file in one piece", body: "multipart/form-data FileForm", status: 201, gives: "NewUpload", limited: true},
	"POST /uploads/parts":       {does: "Begin an upload in parts, for weak lines", body: "NewParts", status: 201, gives: "Parts", limited: true},
	"GET /uploads/:id/parts":    {does: "Which parts are still to come", status: 200, gives: "missing:[]integer"},
	"PUT /uploads/:id/parts/:n": {does: "Send a part; again replaces it", body: "application/octet-stream ", status: 204, limited: true},
	"POST /uploads/:id/done":    {does: "Join the parts", status: 201, gives: "NewUpload", conflicts: "incomplete", fails: []int{415}},
	"GET /uploads/:id":          {does: "The bytes, for saving; for staff and for the owner of what it belongs to", status: 200, gives: "*/*"},
	"GET /uploads/:id/preview":  {does: "A picture of it, written anew", status: 200, gives: "image/png image/jpeg"},

	"GET /settings":           {does: "The settings document", status: 200, gives: "Settings"},
	"PUT /settings":           {does: "Write the document that was read at a version; acts at once on every node", body: "SettingsChange", status: 200, gives: "Settings", conflicts: "stale"},
	"POST /settings/preview":  {does: "What a draft would do: two weeks of hours, and the waits that would move", body: "SettingsDraft", status: 200, gives: "Preview"},
	"POST /settings/holidays": {does: "Read holidays from an iCalendar file; nothing is kept", body: "text/calendar string", status: 200, gives: "holidays:[]Holiday"},
	"GET /settings/history":   {does: "The last fifty documents, newest first", status: 200, gives: "history:[]SettingsVersion"},

	"GET /reports":          {does: "What happened in a period: chats by hour, waits, first answers, backlog, ratings, who did what", query: "from to zone", status: 200, gives: "report:Report", fails: []int{422}},
	"GET /reports/rows":     {does: "What a figure of a report counts", query: "of from to zone cursor", status: 200, gives: "rows:[]ReportRow", fails: []int{422}},
	"GET /reports/rows.csv": {does: "The same, all of it, for spreadsheets", query: "of from to zone", status: 200, gives: "text/csv", fails: []int{422}},

	"GET /macros":        {does: "Answers that are given often, and the variables that they may have", status: 200, gives: "macros:[]Macro variables:[]string"},
	"POST /macros":       {does: "Keep a macro", body: "NewMacro", status: 201, gives: "macro:Macro", once: true, conflicts: "too_many"},
	"PUT /macros/:id":    {does: "Write a macro that was read at a version", body: "MacroChange", status: 200, gives: "macro:Macro", conflicts: "stale"},
	"DELETE /macros/:id": {does: "Remove a macro; one that is gone is no error", status: 204},
	"GET /drafts":        {does: "One's own drafts, the newest first", status: 200, gives: "drafts:[]Draft"},
	"PUT /drafts":        {does: "Keep what is written so far; empty removes it", body: "DraftChange", status: 204},

	"GET /outbox":            {does: "Mails, newest first; sending says whether a mail server is set", query: "state:mails cursor limit", status: 200, gives: "mails:[]MailRow sending:boolean", fails: []int{422}},
	"GET /outbox/:id":        {does: "A mail as its reader gets it", status: 200, gives: "mail:Mail"},
	"GET /outbox/:id/html":   {does: "The same as a page, without anything that runs", status: 200, gives: "text/html"},
	"POST /outbox/:id/retry": {does: "Try a mail again now", status: 200, gives: "mail:Mail"},
}
