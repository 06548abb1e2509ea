// A till tells of a receipt, straight to Kafka: the schema as the registry has it, Confluent's wire format, idempotence.
//
//   java -cp 'kafka-clients.jar:avro.jar:…' Produce.java 127.0.0.1:19003 http://127.0.0.1:19002/apis/ccompat/v7
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Produce {
    public static void main(String[] args) throws Exception {
        String topic = "events.pos";
        HttpRequest ask = HttpRequest.newBuilder(URI.create(args[1] + "/subjects/" + topic + "-value/versions/latest")).build();
        String answer = HttpClient.newHttpClient().send(ask, HttpResponse.BodyHandlers.ofString()).body();
        JsonNode registered = new ObjectMapper().readTree(answer);
        Schema schema = new Schema.Parser().parse(registered.get("schema").asText());

        String orderId = "till:S1/5/" + LocalDate.now(ZoneOffset.UTC) + "/1";
        GenericRecord card = new GenericRecordBuilder(element(schema, "identifiers"))
            .set("kind", "loyalty_card").set("value", "2600000000031").build();
        GenericRecord order = new GenericRecordBuilder(optional(schema, "order"))
            .set("order_id", orderId).set("total", "7.25").set("currency", "EUR").build();
        GenericRecord event = new GenericRecordBuilder(schema)  // what is not set has its default in the schema
            .set("event_id", "receipt:" + orderId).set("channel", "pos").set("type", "order_placed")
            .set("occurred_at", Instant.now().toEpochMilli()).set("source", "till-java").set("device", "pos")
            .set("identifiers", List.of(card)).set("order", order).build();

        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("enable.idempotence", "true");
        try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            byte[] value = framed(schema, registered.get("id").asInt(), event);
            var done = producer.send(new ProducerRecord<byte[], byte[]>(topic, value)).get();
            System.out.println(orderId + ": offset " + done.offset() + " of partition " + done.partition());
        }
    }

    /** The record inside a list. */
    static Schema element(Schema schema, String field) {
        return schema.getField(field).schema().getElementType();
    }

    /** The record of a field that may be null. */
    static Schema optional(Schema schema, String field) {
        return schema.getField(field).schema().getTypes().stream().filter(s -> s.getType() == Schema.Type.RECORD)
            .findFirst().orElseThrow();
    }

    /** A zero byte, the schema's number, the Avro bytes. */
    static byte[] framed(Schema schema, int id, GenericRecord event) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(0);
        out.write(ByteBuffer.allocate(4).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
        new GenericDatumWriter<GenericRecord>(schema).write(event, encoder);
        encoder.flush();
        return out.toByteArray();
    }
}
