package licensor_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"licensor"
)

func Example() {
	ctx := context.Background()
	srv, err := licensor.Open(ctx, licensor.Options{Memory: true}) // or Data: "licensor.db"
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	login, err := srv.Found(ctx, licensor.Tenant{Name: "Contoso", Domain: "contoso.example", Application: "Deployment"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(login.AdminName)

	web := httptest.NewServer(srv) // in a program: http.ListenAndServe("127.0.0.1:8080", srv)
	defer web.Close()
	response, err := http.Get(web.URL + "/readyz")
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	// Output:
	// admin@contoso.example
	// 200 OK
}
