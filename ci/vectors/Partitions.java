import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;
import org.apache.kafka.common.utils.Utils;

/** Adds to each line the partition of its four keys among 8, 12, 24 and 40 partitions, as Kafka's Java client computes it. */
public class Partitions {
    private static final int[] COUNTS = {8, 12, 24, 40};

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] fields = line.split("\t");
            StringJoiner out = new StringJoiner("\t");
            out.add(line);
            for (int key = 2; key < 6; key++) {
                int positive = Utils.toPositive(Utils.murmur2(fields[key].getBytes(StandardCharsets.UTF_8)));
                for (int count : COUNTS) {
                    out.add(Integer.toString(positive % count));
                }
            }
            System.out.println(out);
        }
    }
}
