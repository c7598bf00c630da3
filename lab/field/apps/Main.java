import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;

/** A small HTTP service with a fixed pool of threads. */
public class Main {
  static final List<byte[]> kept = new ArrayList<>();
  static final Object lock = new Object();

  public static void main(String[] args) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress(8080), 50);
    server.setExecutor(Executors.newFixedThreadPool(Integer.getInteger("threads", 4)));
    server.createContext("/", Main::answer);
    server.start();
  }

  static void answer(HttpExchange exchange) throws java.io.IOException {
    String path = exchange.getRequestURI().getPath();
    String query = exchange.getRequestURI().getQuery();
    long n = query == null ? 1 : Long.parseLong(query.split("=")[1]);
    try {
      if (path.equals("/report")) Thread.sleep(n * 1000);
      if (path.equals("/locked")) synchronized (lock) { Thread.sleep(n * 1000); }
      if (path.equals("/cart")) synchronized (lock) { path = "/"; }
      for (long i = path.equals("/upload") ? n * 64 : 0; i > 0; i--) kept.add(new byte[16 << 10]);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    byte[] body = "ok\n".getBytes();
    exchange.sendResponseHeaders(200, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }
}
