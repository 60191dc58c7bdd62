package own

import "testing"

// BenchmarkLines parses lines of an import.
func BenchmarkLines(b *testing.B) {
	for name, text := range map[string]string{
		"member": `{"member":{"group":"9e3779b9-6700-4000-8000-000000000001","member":"1a8eec29-7500-4000-8000-000000000007"}}`,
		"user": `{"user":{"id":"1a8eec29-7500-4000-8000-000000000007","accountEnabled":true,"displayName":"Person 7 of many",` +
			`"givenName":"Given 7","surname":"Family 7","userPrincipalName":"person7@scale.example","mail":"person7@scale.example",` +
			`"mailNickname":"person7","jobTitle":"Title 7","department":"Department 7","city":"City 7","country":"Germany",` +
			`"companyName":"Company 7","officeLocation":"Building 7","usageLocation":"DE","employeeId":"E00000007"}}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var rows rowReader
			for b.Loop() {
				if _, err := rows.read([]byte(text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
