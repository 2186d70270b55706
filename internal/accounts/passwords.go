package accounts

import (
	"strings"

	"chatnow/internal/fault"
)

// common are the passwords of eight characters and more that guessers try first, in lower case.
var common = strings.Fields(`password password1 password12 password123 passw0rd p@ssw0rd p@ssword passwort kennwort 12345678 123456789 1234567890
	0123456789 0987654321 987654321 87654321 11111111 00000000 22222222 88888888 12341234 12344321 11223344 123123123 qwertyui qwertyuiop qwerty12
	qwerty123 qwerty1234 qwertz12 qwertz123 asdfghjkl asdfasdf zxcvbnm1 zxcvbnm123 1qaz2wsx 1q2w3e4r 1q2w3e4r5t q1w2e3r4 zaq12wsx abcd1234 abc12345
	abcdefgh abcdefg1 a1b2c3d4 aa123456 iloveyou iloveyou1 sunshine sunshine1 princess princess1 football football1 baseball basketball superman
	batman123 starwars trustno1 whatever welcome1 welcome123 letmein1 letmein123 changeme changeme1 changeme123 default1 secret123 admin123 admin1234
	administrator root1234 test1234 testtest computer internet michelle jennifer jessica1 charlie1 liverpool samantha victoria dragon123 master123
	monkey123 shadow123 hello123 helloworld chatnow1 chatnow123 support1 support123 champion champion1`)

// checkPassword says what is wrong with a new password: it has a length, and is none of those that are tried
// first (NIST SP 800-63B, 5.1.1.2).
func checkPassword(field, given string) error {
	if n := len(given); n < 8 || n > 256 {
		return fault.WrongField(field, "A password has 8 to 256 characters.")
	}
	low := strings.ToLower(given)
	for _, c := range common {
		if low == c {
			return fault.WrongField(field, "This password is among the first that anybody would try. Choose another.")
		}
	}
	if strings.Trim(given, given[:1]) == "" {
		return fault.WrongField(field, "One character again and again is no password. Choose another.")
	}
	return nil
}
