package sdk

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// approve goes through the authority's pages as a person without JavaScript does: it fills in what
// a form asks for, presses its first button, and does the same on the next page, until a page asks
// for nothing any longer.
func approve(address string, answers map[string]string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	browser := &http.Client{Transport: transport(), Jar: jar}
	response, err := browser.Get(address)
	for pages := 0; ; pages++ {
		if err != nil {
			return err
		}
		document, err2 := html.Parse(response.Body)
		response.Body.Close()
		if err2 != nil {
			return err2
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s: %s", response.Request.URL, response.Status, words(document))
		}
		form := find(document, "form")
		if form == nil {
			return nil
		}
		if pages > 5 {
			return fmt.Errorf("the page goes on asking: %s", words(document))
		}
		target, err2 := response.Request.URL.Parse(attribute(form, "action"))
		if err2 != nil {
			return err2
		}
		response, err = browser.PostForm(target.String(), fill(form, answers))
	}
}

// fill is what a form sends: what it holds by itself, the answers by the names of its fields, and
// its first button.
func fill(form *html.Node, answers map[string]string) url.Values {
	values, pressed := url.Values{}, false
	for node := range form.Descendants() {
		name := attribute(node, "name")
		switch {
		case node.Type != html.ElementNode || name == "":
		case node.Data == "button" && !pressed:
			values.Set(name, attribute(node, "value"))
			pressed = true
		case node.Data == "input" && attribute(node, "type") == "hidden":
			values.Set(name, attribute(node, "value"))
		case node.Data == "input" && attribute(node, "type") != "checkbox":
			values.Set(name, answers[name])
		}
	}
	return values
}

func find(in *html.Node, element string) *html.Node {
	for node := range in.Descendants() {
		if node.Type == html.ElementNode && node.Data == element {
			return node
		}
	}
	return nil
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// words are the text of a page, for errors.
func words(document *html.Node) string {
	var b strings.Builder
	for node := range document.Descendants() {
		if node.Type == html.TextNode && node.Parent.Data != "style" && node.Parent.Data != "script" {
			b.WriteString(node.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
