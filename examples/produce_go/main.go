// A till tells of a receipt, straight to Kafka: the schema as the registry has it, Confluent's wire format, idempotence.
//
//	go run . 127.0.0.1:19003 http://127.0.0.1:19002/apis/ccompat/v7
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Event is a channel event; a field that is left out here has its default in the schema.
type Event struct {
	EventID     string       `avro:"event_id"`
	Channel     string       `avro:"channel"`
	Type        string       `avro:"type"`
	OccurredAt  time.Time    `avro:"occurred_at"`
	Source      string       `avro:"source"`
	Device      *string      `avro:"device"`
	Identifiers []Identifier `avro:"identifiers"`
	Order       *Order       `avro:"order"`
}

type Identifier struct {
	Kind  string `avro:"kind"`
	Value string `avro:"value"`
}

type Order struct {
	OrderID  string  `avro:"order_id"`
	Total    *string `avro:"total"`
	Currency *string `avro:"currency"`
}

// registered asks the registry for the schema of a topic and its number.
func registered(registry, topic string) (avro.Schema, uint32, error) {
	answer, err := http.Get(registry + "/subjects/" + topic + "-value/versions/latest")
	if err != nil {
		return nil, 0, err
	}
	defer answer.Body.Close()
	var found struct {
		ID     uint32 `json:"id"`
		Schema string `json:"schema"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
		return nil, 0, err
	}
	schema, err := avro.Parse(found.Schema)
	return schema, found.ID, err
}

func framed(schema avro.Schema, id uint32, event Event) ([]byte, error) {
	payload, err := avro.Marshal(schema, event)
	head := binary.BigEndian.AppendUint32([]byte{0}, id)
	return append(head, payload...), err
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: produce_go KAFKA REGISTRY")
	}
	topic := "events.pos"
	schema, id, err := registered(os.Args[2], topic)
	if err != nil {
		log.Fatal(err)
	}
	device, total, currency := "pos", "12.50", "EUR"
	now := time.Now().UTC()
	order := "till:S1/4/" + now.Format(time.DateOnly) + "/1"
	value, err := framed(schema, id, Event{
		EventID: "receipt:" + order, Channel: "pos", Type: "order_placed", OccurredAt: now, Source: "till-go",
		Device: &device, Identifiers: []Identifier{{"loyalty_card", "2600000000024"}},
		Order: &Order{order, &total, &currency},
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(os.Args[1])) // idempotent, with all replicas' word, unless told otherwise
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	done := client.ProduceSync(context.Background(), &kgo.Record{Topic: topic, Value: value})
	if err := done.FirstErr(); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: offset %d of partition %d\n", order, done[0].Record.Offset, done[0].Record.Partition)
}
